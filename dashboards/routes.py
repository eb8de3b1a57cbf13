"""Every address of the console and who answers it; the application adds them all.

Pages and forms (HTML) are plain `web.get` and `web.post`. What lies under /api/v1 is described in the same line, by `get`,
`post`, `put` and `delete` of dashboards/operations.py: the types of its query and body, and what it answers: fields with
their types, or one type. A post takes an Idempotency-Key unless `once=False`. The summary is the first line of the
handler's docstring; a new name in braces goes into PLACES of dashboards/openapi.py. What is missing is found by
tests/unit/dashboards/test_openapi.py; an answer that is not as described by every integration test of the console.
"""

from datetime import date
from uuid import UUID

from aiohttp import web

from config.burden import Budget
from config.drills import Drill
from dashboards import (
    account,
    admin,
    admin_record,
    admin_rules,
    admin_ways,
    api,
    api_page,
    areamap,
    callbacks,
    cap,
    casework,
    command,
    detection,
    field,
    field_app,
    figures,
    links,
    oidc,
    pages,
    paging,
    papers,
    passkeys,
    personal,
    push,
    registry,
    reports,
    review,
    roster,
    seats,
    sessions,
    steps,
    tasks,
    tokens,
)
from dashboards.events import LAST_EVENT, EventsQuery, follow_events
from dashboards.operations import Media, delete, get, post
from dashboards.texts import Language
from domain.findings import Calibration
from domain.inputs import AwareTime
from responders.burden import AreaBurden, Load
from responders.detection import HeldBackRow
from responders.drills import DrillRow
from responders.field import FieldDay, FieldReport, Taken
from responders.lessons import NewNote
from responders.registration import Step
from responders.response import AreaResponse
from responders.review import CaseReview
from responders.roster_views import HandOverView, RosterChange, RosterView, SwapView
from responders.seats import Colleague, Related, SavedView
from responders.situation import Situation
from responders.stations import DeviceList, RegistryChange, SeriesList
from responders.store.reports import ReportsView
from responders.store.reviews import DrillReview
from responders.tokens import NewToken, TokenRow
from responders.views import (
    Curve,
    HeldCase,
    IncidentRow,
    MaintenancePlan,
    MaintenanceRow,
    ReportRow,
    TaskRow,
    Viewer,
    WaitingShelf,
)

CASE, TASK = "/api/v1/incidents/{incident}", "/api/v1/tasks/{task}"
ROW, TASK_ROW, SWAP = {"incident": IncidentRow}, {"task": TaskRow}, {"swap": SwapView}
UPKEEP, STEPS = {"maintenance": MaintenanceRow}, {"steps": list[Step]}
QUEUE = {"incidents": list[IncidentRow], "change": int, "more": bool}
VIEWS = {"views": list[SavedView]}
SUBSCRIBED = {"channel": str, "subscribed": bool}
HELD_BACK = {
    "held_back": list[HeldBackRow],
    "more": bool,
    "calibrations": list[Calibration],
    "names": dict[str, str],
    "change": int,
}
BURDEN = {"day": date, "own": Load, "budget": Budget, "over": list[str], "areas": list[AreaBurden]}
FIELD = {
    "viewer": Viewer,
    "language": Language,
    "clock": dict[str, float],
    "categories": list[str],
    "push": bool,
    "day": FieldDay,
}
EVENTS = Media(
    "text/event-stream", "Server-sent events until the reader leaves; each carries the id of its change."
)
SITUATION = {"situation": Situation, "storm": command.StormRule, "release": str}

ROUTES = (
    web.get("/", pages.show_queue),
    web.get("/incidents/{incident}", pages.show_incident_page),
    web.get("/incidents/{incident}/review", review.show_review_page),
    web.post("/incidents/{incident}/reports", reports.submit_from_page),
    web.get("/incidents/{incident}/reports/{kind}/{number}", reports.show_page),
    web.post("/incidents/{incident}/review/notes", review.note_from_page),
    web.post("/incidents/{incident}/review/finish", review.finish_from_page),
    web.get("/roster", roster.show_roster_page),
    web.get("/drills", review.show_drills_page),
    web.post("/drills", review.start_from_page),
    web.get("/drills/{drill}", review.show_drill_page),
    web.post("/drills/{drill}/stop", review.stop_from_page),
    web.get("/admin", admin.show_overview),
    web.get("/admin/accounts", admin.show_accounts),
    web.get("/admin/new-account", admin.show_new_account),
    web.post("/admin/new-account", admin.create_account),
    web.get("/admin/accounts/{login}", admin.show_account),
    web.post("/admin/accounts/{login}", admin.change_account),
    web.post("/admin/accounts/{login}/password", admin.give_password),
    web.post("/admin/accounts/{login}/factors", admin.reset_factors),
    web.get("/incidents/{incident}/sources", personal.show_sources),
    web.post("/incidents/{incident}/sources/{kind}/{subject}", personal.open_source),
    web.get("/admin/sessions", admin.show_sessions),
    web.post("/admin/sessions/{session}/end", admin.end_session),
    web.get("/admin/record", admin_record.show_record),
    web.post("/admin/record/verify", admin_record.verify),
    web.get("/field", field_app.show_page),
    web.get("/field/app/worker.js", field_app.show_worker),
    web.get("/field/app/shell-{language}.html", field_app.show_shell),
    web.get("/field/app/manifest-{language}.webmanifest", field_app.show_manifest),
    web.get("/field/app/texts-{language}.json", field_app.show_texts),
    web.get("/field/photos/{report}", field.show_photo),
    web.post("/field/photos/{report}", field.add_photo),
    web.get("/command", command.show_command_page),
    web.get("/wall", command.show_wall_page),
    web.get("/day-log", papers.show_day),
    web.post("/day-log/notes", papers.note_from_page),
    web.post("/day-log/sign", papers.sign_from_page),
    web.get("/special-reports", papers.list_specials),
    web.post("/special-reports", papers.begin_from_page),
    web.get("/special-reports/{special}", papers.show_special),
    web.post("/special-reports/{special}", papers.write_from_page),
    web.post("/special-reports/{special}/issue", papers.issue_from_page),
    web.get("/sign-in", sessions.show_sign_in),
    web.post("/sign-in", sessions.sign_in),
    web.post("/sign-out", sessions.sign_out),
    web.get("/texts/{language}.json", pages.show_texts),
    web.get("/healthz", pages.show_health),
    web.get("/metrics", pages.show_metrics),
    web.get("/admin/areas", admin_rules.show_areas),
    web.post("/admin/areas", admin_rules.change_area),
    web.get("/admin/duties", admin_rules.show_duties),
    web.post("/admin/duties", admin_rules.try_duties),
    web.get("/admin/policies", admin_rules.show_policies),
    web.post("/admin/policies", admin_rules.try_policies),
    web.get("/admin/roster", admin_rules.show_roster),
    web.get("/admin/channels", admin_ways.show_channels),
    web.post("/admin/channels/{channel}/test", admin_ways.test_channel),
    web.get("/admin/contacts", admin_ways.show_contacts),
    web.post("/admin/contacts", admin_ways.set_contact),
    web.post("/admin/contacts/remove", admin_ways.remove_contact),
    web.get("/api", api_page.show_page),
    get("/api/v1/openapi.json", api_page.show_document, Media("application/json", "This document.")),
    get("/api/v1/session", api.show_session, {"viewer": Viewer, "language": Language}),
    get("/api/v1/incidents", api.list_incidents, QUEUE, query=api.QueueQuery),
    get(CASE, api.show_incident, api.IncidentPage),
    post(f"{CASE}/acknowledge", api.acknowledge, api.Nothing, ROW),
    web.get("/sign-in/code", steps.show_code),
    web.post("/sign-in/code", steps.take_code),
    web.get("/sign-in/password", steps.show_password),
    web.post("/sign-in/password", steps.take_password),
    web.get("/sign-in/enrol", steps.show_enrol),
    web.post("/sign-in/enrol", steps.take_enrol),
    web.get("/sign-in/enrol/qr.svg", steps.show_qr),
    web.post("/sign-in/continue", steps.continue_from),
    web.post("/sign-in/passkey/begin", passkeys.begin_use),
    web.post("/sign-in/passkey", passkeys.use),
    web.get("/sign-in/oidc", oidc.leave),
    web.get("/sign-in/oidc/return", oidc.come_back),
    web.get("/account", account.show_account),
    web.post("/account/password", account.change_password),
    web.post("/account/factor", account.begin_factor),
    web.post("/account/factor/remove", account.remove_factor),
    web.post("/account/passkeys/begin", passkeys.begin_new),
    web.post("/account/passkeys", passkeys.add),
    web.post("/account/passkeys/remove", passkeys.remove),
    web.post("/account/sessions/end", account.end_others),
    post(f"{CASE}/acknowledge/undo", seats.undo, api.Nothing, ROW),
    get(f"{CASE}/related", seats.show_related, Related),
    get("/api/v1/seat/places", seats.list_places, {"places": list[tuple[str, str]]}),
    get("/api/v1/seat/colleagues", seats.list_colleagues, {"colleagues": list[Colleague]}),
    get("/api/v1/seat/categories", seats.list_categories, {"categories": list[str]}),
    get("/api/v1/seat/views", seats.list_views, VIEWS),
    post("/api/v1/seat/views", seats.save_view, seats.Saved, VIEWS, once=False),
    post("/api/v1/seat/views/forget", seats.forget_view, seats.Forgotten, VIEWS, once=False),
    post(f"{CASE}/take-over", api.take_over, api.Nothing, ROW),
    post(f"{CASE}/disposition", api.decide, api.Disposition, ROW),
    post(f"{CASE}/move", api.move, api.Move, ROW),
    post(f"{CASE}/close", api.close, api.Close, ROW),
    post("/api/v1/incidents", casework.open_case, casework.New, ROW, status=201),
    post(f"{CASE}/merge", casework.merge, casework.Merge, ROW),
    post(f"{CASE}/split", casework.split, casework.Split, ROW, status=201),
    post(f"{CASE}/parties", casework.join, casework.Join, ROW),
    post(f"{CASE}/parties/{{area}}/leave", casework.leave, casework.Leave, ROW),
    post(f"{CASE}/tasks", casework.dispatch, casework.Further, ROW),
    post(f"{CASE}/reopen", casework.reopen, casework.Reopen, ROW),
    post(f"{CASE}/rating", casework.rate, casework.Rating, ROW),
    post(f"{TASK}/rating", casework.rate_task, casework.Rating, ROW),
    post(f"{CASE}/grade", paging.grade, paging.Graded, ROW),
    post(f"{CASE}/shelve", paging.shelve, paging.Shelved, ROW),
    post(f"{CASE}/shelve/consent", paging.consent, api.Nothing, ROW),
    post(f"{CASE}/unshelve", paging.unshelve, api.Nothing, ROW),
    get("/api/v1/held", paging.list_held, {"held": list[HeldCase], "waiting": list[WaitingShelf]}),
    get("/api/v1/maintenance", paging.list_maintenance, {"maintenance": list[MaintenanceRow]}),
    post("/api/v1/maintenance", paging.plan_maintenance, MaintenancePlan, UPKEEP, status=201),
    post(
        "/api/v1/maintenance/{maintenance}/consent",
        paging.consent_to_maintenance,
        api.Nothing,
        UPKEEP,
        once=False,
    ),
    post("/api/v1/maintenance/{maintenance}/end", paging.end_maintenance, api.Nothing, UPKEEP, once=False),
    post(f"{TASK}/move", tasks.move, tasks.TaskMove, TASK_ROW),
    post(f"{TASK}/pleas/{{kind}}", tasks.ask, tasks.Asked, TASK_ROW),
    post(f"{TASK}/pleas/{{kind}}/answer", tasks.answer, tasks.PleaAnswer, TASK_ROW),
    get(
        "/api/v1/roster",
        roster.show,
        {"since": AwareTime, "until": AwareTime, "roster": RosterView},
        query=roster.RosterQuery,
    ),
    post("/api/v1/roster/substitutions", roster.substitute, roster.Substitution, {"change": RosterChange}),
    post("/api/v1/roster/swaps", roster.ask_swap, roster.Swap, SWAP),
    post("/api/v1/roster/swaps/{swap}/answer", roster.answer_swap, roster.SwapAnswer, SWAP),
    post(
        "/api/v1/roster/hand-overs/{hand_over}/sign",
        roster.sign,
        roster.Signature,
        {"hand_over": HandOverView},
    ),
    get("/api/v1/series/{series}/curve", api.show_curve, Curve, query=api.CurveQuery),
    web.get("/detection", detection.show_detection_page),
    get("/api/v1/detection", detection.show_detection, HELD_BACK),
    get("/api/v1/drills", review.list_drills, {"drills": list[DrillRow], "scenarios": list[Drill]}),
    post("/api/v1/drills", review.start, review.DrillWish, {"drill": UUID}, status=201),
    get("/api/v1/drills/{drill}", review.show_drill, {"review": DrillReview}),
    post("/api/v1/drills/{drill}/stop", review.stop, api.Nothing, {"closed": int}, once=False),
    get(f"{CASE}/review", review.show_review, {"review": CaseReview}),
    get(f"{CASE}/reports", reports.show, {"reports": ReportsView}),
    post(f"{CASE}/reports", reports.submit, reports.ReportWish, {"report": ReportRow}, status=201),
    post(f"{CASE}/review/notes", review.add_note, NewNote, ROW),
    post("/api/v1/alerts/{alert}/open", detection.open_alert, api.Nothing, ROW),
    get("/api/v1/field", field.show_day, FIELD),
    post("/api/v1/field/reports", field.report, field.ReportBody, {"report": Taken}, once=False),
    get(f"{CASE}/field-reports", field.list_of_case, {"reports": list[FieldReport]}),
    get("/api/v1/response", figures.show_response, {"areas": list[AreaResponse]}, query=figures.Days),
    get("/api/v1/burden", figures.show_burden, BURDEN, query=figures.Day),
    web.get("/registry", registry.show_registry),
    get("/api/v1/registry/devices", registry.list_devices, DeviceList, query=registry.ListQuery),
    get("/api/v1/registry/series", registry.list_series, SeriesList, query=registry.ListQuery),
    get(
        "/api/v1/registry/changes",
        registry.list_changes,
        {"changes": list[RegistryChange], "more": bool},
        query=registry.ChangesQuery,
    ),
    get("/api/v1/registry/areas", registry.list_areas, {"areas": list[tuple[str, str]]}),
    post("/api/v1/registry/plan", registry.plan, registry.WishBody, STEPS, once=False),
    post("/api/v1/registry/change", registry.change, registry.WishBody, STEPS),
    get("/api/v1/map", areamap.show_map, areamap.SHAPES),
    get("/api/v1/command", command.show_command, SITUATION),
    get("/api/v1/events", follow_events, EVENTS, query=EventsQuery, headers=LAST_EVENT),
    get("/api/v1/tokens", tokens.list_tokens, {"tokens": list[TokenRow]}),
    post("/api/v1/tokens", tokens.add, NewToken, {"token": TokenRow, "secret": str | None}, status=201),
    post("/api/v1/tokens/{token}/end", tokens.end, api.Nothing, {"token": TokenRow}, once=False),
    get("/api/v1/push", push.show_key, {"channel": str, "key": str}, query=push.Which, also=(404,)),
    post("/api/v1/push", push.subscribe, push.Subscribed, SUBSCRIBED, status=201, once=False),
    delete("/api/v1/push", push.unsubscribe, push.Unsubscribed, SUBSCRIBED),
    web.get("/a/{token}", links.show_link),
    web.post("/a/{token}", links.press_link),
    web.post("/replies/{service}", callbacks.take_replies),
    web.post("/receipts/{service}", callbacks.take_receipts),
    web.get("/cap/feed.atom", cap.show_feed),
    web.get("/cap/{identifier}.xml", cap.show_message),
)
