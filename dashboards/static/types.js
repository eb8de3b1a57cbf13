// The shapes that the API sends (responders/views.py, domain/findings.py), for the type checker; no code.

/**
 * @typedef {{id: string, version: number, alert: string | null, category: string, domain: string, place: string,
 *   place_name: string, level: number, grade: number, state: string, title: string, zh: string, en: string,
 *   opened_at: string, changed_at: string, acknowledged_at: string | null, acknowledged_by: string | null,
 *   holder: string | null, next_at: string | null, step: number, alert_open: boolean, drill: boolean}} Row
 * @typedef {{id: string, detector: string, category: string, subject_kind: string, subject: string, area: string,
 *   feed: string, state: string, observed_at: string, period_start: string, period_end: string | null,
 *   direction: string, observed: number | null, expected: number | null, unit: string, p_value: number | null,
 *   limit: {level: number, value: number, basis: string} | null, phrase: string | null, places: string[], terms: string[],
 *   arrivals: {series: string, earliest: string, latest: string}[]}} Finding
 * @typedef {{decisive: string, nearby: string[], quiet: number, precedent: {alert: string, opened_at: string,
 *   place: string, level: number, verdict: string | null} | null}} Explanation
 * @typedef {{id: number, at: string, kind: string, actor: string, text: string, detail: Record<string, any>}} Entry
 * @typedef {{id: string, unit: string, state: string, dispatched_at: string, due_at: string}} Task
 * @typedef {{task: string, kind: string, item: string, reason: string, until: string | null, asked_at: string,
 *   answer_by: string, outcome: string | null, note: string, answered_at: string | null}} Plea
 * @typedef {{id: string, step: number, recipient: string, channel: string, state: string, attempts: number,
 *   reason: string, created_at: string, delivered_at: string | null}} Page
 * @typedef {{id: string, version: number, change: string, category: string, place: string, place_name: string, level: number,
 *   zh: string, en: string, opened_at: string, changed_at: string}} CaseAlert
 * @typedef {{area: string, area_name: string, joined_at: string, seen_at: string | null, seen_by: string | null}} Party
 * @typedef {{task: string | null, number: number, reached: boolean, responded: boolean | null, resolved: boolean | null,
 *   satisfied: string, note: string, rated_by: string, rated_at: string}} Rating
 * @typedef {{clock: string, zh: string, en: string, source: string, kind: string, number: number, form: string, by: string,
 *   to: string, desk: string, addressee: string, since: string, due_at: string | null, at: string | null, kept: string,
 *   end_reason: string | null}} LegalClock
 * @typedef {{row: Row, zh: string, en: string, evidence: Finding[], timeline: Entry[], tasks: Task[], pleas: Plea[], pages: Page[],
 *   verdict: string | null, moves: string[], chance: number | null, held_back: string | null,
 *   held: {kind: string, reason: string, by: string, until: string | null} | null, awaited: string[],
 *   alerts: CaseAlert[], parties: Party[], coordinator: string | null, merged_into: string | null, ratings: Rating[],
 *   clocks: LegalClock[],
 *   explanation: Explanation | null, precedent: string | null}} View
 * @typedef {{id: string, version: number, change: string, category: string, place: string, place_name: string,
 *   level: number, held_back: string, chance: number | null, opened_at: string, changed_at: string, zh: string,
 *   en: string}} HeldBackRow
 * @typedef {{county: string, at: string, verdicts: number, brier: number, base_rate: number,
 *   bins: {low: number, high: number, count: number, mean_chance: number, found_true: number}[],
 *   detectors: Record<string, [number, number]>, alone?: Record<string, number>}} Calibration
 * @typedef {{series: string, name: string, unit: string, at: number[], mean: (number | null)[],
 *   low: (number | null)[], high: (number | null)[],
 *   limits: {level: number, value: number, direction: string, basis: string}[]}} Curve
 * @typedef {{id: string, category: string, place: string, place_name: string, level: number, state: string, title: string,
 *   zh: string, en: string, opened_at: string, nearness: string}} NearCase
 * @typedef {{id: string, place: string, place_name: string, level: number, grade: number, state: string, title: string,
 *   zh: string, en: string, opened_at: string, ended_at: string, verdict: string | null, note: string, likeness: string,
 *   words: string[]}} LikeCase
 * @typedef {{near: NearCase[], more_near: boolean, like: LikeCase[], more_like: boolean}} Related
 * @typedef {{state: "open" | "all", levels: number[], category: string | null, township: string, mine: boolean,
 *   drill: "with" | "only" | "without", text: string}} QueueFilter
 * @typedef {{name: string, filter: QueueFilter, saved_at: string}} SavedView
 * @typedef {{name: string, label: string, kind: "text" | "note" | "choice" | "many" | "list" | "check" | "time",
 *   required?: boolean, hint?: string, most?: number, options?: [string, string][], value?: any, field?: string,
 *   when?: (values: Record<string, any>) => boolean}} FormField
 *   `field` is the server's name of it where that differs; `when` says whether it is asked
 * @typedef {{id: string, title: string, intro?: string, fields: FormField[], button?: string,
 *   send: (values: Record<string, any>) => Promise<string>}} Form
 *   `send` answers with what is told afterwards
 * @typedef {{kind: string, reason: string, by: string, until: string | null}} Hold
 * @typedef {{id: string, area: string, area_name: string, category: string, series: string, device: string, reason: string,
 *   starts_at: string, ends_at: string, ended_at: string | null, planned_by: string, consented_by: string | null}} Maintenance
 * @typedef {{held: {incident: string, title: string, held: Hold}[], waiting: {incident: string, title: string, reason: string,
 *   by: string, until: string}[], maintenance: Maintenance[]}} Holding
 * @typedef {{user: string, display: string, starts_at: string, ends_at: string, disabled: boolean}} OnDuty
 * @typedef {{area: string, area_name: string, post: string, post_name: string, spans: OnDuty[],
 *   vacancies: {starts_at: string, ends_at: string}[]}} DeskView
 * @typedef {{id: string, area: string, post: string, asker: string, asker_name: string, asker_from: string,
 *   asker_until: string, other: string, other_name: string, other_from: string, other_until: string, note: string,
 *   asked_at: string, agreed: boolean | null, answered_at: string | null, lapsed: boolean}} SwapView
 * @typedef {{cases: {id: string, title: string, grade: number, state: string, acknowledged: boolean}[],
 *   tasks: {id: string, incident: string, title: string, due_at: string}[],
 *   pages: {id: string, incident: string, title: string, channel: string, state: string}[],
 *   open_cases: number, overdue_tasks: number, held_pages: number, unsigned_before: number}} HandOverNote
 * @typedef {{id: string, area: string, post: string, at: string, outgoing: string[], incoming: string[], note: HandOverNote,
 *   sign_by: string, rounds: number, climbed: number, incident: string | null, signed_at: string | null,
 *   signed_by: string | null, remark: string, replaced: boolean}} HandOver
 * @typedef {{id: number, at: string, kind: string, area: string, post: string, actor: string, note: string}} RosterChange
 * @typedef {{desks: DeskView[], swaps: SwapView[], hand_overs: HandOver[], changes: RosterChange[], more: string[]}} Roster
 * @typedef {{day: string, own: Record<string, number>, budget: Record<string, number>, over: string[]}} Burden
 * @typedef {{county: number, factor: number}} ClockNow
 * @typedef {{user: string, login: string, display: string, role: string, area: string}} Viewer
 * @typedef {{protocol: string, address: string, seen_at: string | null, connected: boolean, packets: number,
 *   readings: number, refused: number, problem: string, clock_offset_seconds: number | null, peer: string,
 *   channels: string[]}} Seen
 * @typedef {Seen & {id: string, name: string, station: string, area: string, area_name: string, source: string,
 *   secrets: boolean, series: number, lat: number | null, lon: number | null}} DeviceRow
 * @typedef {Seen & {gateway: string}} Stranger
 * @typedef {{level: number, value: number, direction: string, hysteresis: number, consecutive: number, basis: string,
 *   aqi: number | null, averaging: string}} Limit
 * @typedef {{id: string, name: string, quantity: string, unit: string, area: string, category: string, source: string,
 *   interval_seconds: number, low: number | null, high: number | null, max_rate: number | null, limits: Limit[],
 *   device: string | null, channel: string, river: string | null, river_km: number | null}} Series
 * @typedef {{series: Series, area_name: string, last_at: string | null, last: number | null, good: boolean,
 *   silent: boolean}} SeriesRow
 * @typedef {{kind: string, id: string, name: string, area: string, action: string,
 *   fields: Record<string, [any, any]>}} Step
 * @typedef {{id: number, at: string, actor: string, kind: string, ref: string, area: string, action: string,
 *   fields: Record<string, [any, any]>}} RegistryChange
 * @typedef {{sources: string[], categories: string[], scales: Record<string, string[]>, may_change: boolean}} Choices
 * @typedef {{area: string, name: string, name_en: string, levels: number[], drills: number, unacknowledged: number,
 *   climbed: number, waiting_since: string | null, tasks: number, late: number}} Below
 * @typedef {{incident: string, title: string, place_name: string, level: number, drill: boolean, clock: LegalClock}} OwedReport
 * @typedef {{id: string, title: string, level: number, grade: number, state: string, drill: boolean, opened_at: string,
 *   place_name: string, coordinator: string, parties: string[]}} JointCase
 * @typedef {{id: string, scenario: string, county: string, county_name: string, zh: string, en: string, starts_at: string,
 *   stopped_at: string | null, steps: number, taken: number, cases: number, open: number}} DrillRow
 * @typedef {{verdict: string, mean: number, now: number, peak: number, flood_share: number,
 *   bins: {at: string, alarms: number, most: number, flooded: number, operators: number}[]}} AlarmLoad
 * @typedef {{at: string, area: string, area_name: string, below: Below[], owed: OwedReport[], owed_total: number,
 *   joint: JointCase[], joint_total: number, storms: {county: string, name: string, began_at: string}[], lately: number,
 *   drills: DrillRow[], load: AlarmLoad}} Situation
 */

export {};
