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
 * @typedef {{row: Row, zh: string, en: string, evidence: Finding[], timeline: Entry[], tasks: Task[], pages: Page[],
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
 * @typedef {{county: number, factor: number}} ClockNow
 * @typedef {{login: string, display: string, role: string, area: string}} Viewer
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
 */

export {};
