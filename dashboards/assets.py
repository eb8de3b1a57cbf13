"""Copies the pages' libraries from node_modules/ to static/vendor/: `python -m dashboards.assets` after `npm ci`.

No bundler: browsers load ES modules as they are. Import maps would be inline scripts, which our content policy forbids, so
bare names inside the libraries are turned into relative ones here.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
VENDOR = HERE / "static" / "vendor"

FILES = {
    "preact/dist/preact.mjs": "preact.js",
    "preact/hooks/dist/hooks.mjs": "hooks.js",
    "@preact/signals-core/dist/signals-core.module.js": "signals-core.js",
    "@preact/signals/dist/signals.module.js": "signals.js",
    "htm/dist/htm.module.js": "htm.js",
    "uplot/dist/uPlot.esm.js": "uplot.js",
    "uplot/dist/uPlot.min.css": "uplot.css",
    "leaflet/dist/leaflet-src.esm.js": "leaflet.js",
    "leaflet/dist/leaflet.css": "leaflet.css",
    "idb/build/index.js": "idb.js",
    "preact/LICENSE": "preact.LICENSE.txt",
    "@preact/signals/LICENSE": "signals.LICENSE.txt",
    "htm/LICENSE": "htm.LICENSE.txt",
    "uplot/LICENSE": "uplot.LICENSE.txt",
    "leaflet/LICENSE": "leaflet.LICENSE.txt",
    "idb/LICENSE": "idb.LICENSE.txt",
}
NAMES = {
    "preact": "./preact.js",
    "preact/hooks": "./hooks.js",
    "@preact/signals-core": "./signals-core.js",
    "htm": "./htm.js",
}
TYPES = {
    "preact.d.ts": 'export * from "preact";\n',
    "hooks.d.ts": 'export * from "preact/hooks";\n',
    "signals.d.ts": 'export * from "@preact/signals";\n',
    "htm.d.ts": 'export { default } from "htm";\n',
    "uplot.d.ts": 'export { default } from "uplot";\n',
    "leaflet.d.ts": 'export * from "leaflet";\n',
    "idb.d.ts": 'export * from "idb";\n',
}
"""Where the type checker finds the types of what stands beside them."""

_IMPORT = re.compile(r"""(\bfrom\s*|\bimport\s*)(["'])(@?[a-z][\w@/-]*)\2""")
_SOURCE_MAP = re.compile(r"//# sourceMappingURL=.*$", re.MULTILINE)


def relative_imports(code: str) -> str:
    """Rewrite bare imports of a module to the files beside it; KeyError names one that is not shipped."""
    return _IMPORT.sub(lambda found: f'{found[1]}"{NAMES[found[3]]}"', code)


def copy(modules: Path = MODULES, vendor: Path = VENDOR) -> list[Path]:
    """Copy all files; FileNotFoundError when `npm ci` has not run."""
    vendor.mkdir(parents=True, exist_ok=True)
    written = []
    for source, name in FILES.items():
        text = (modules / source).read_text(encoding="utf-8")
        if name.endswith(".js"):
            text = relative_imports(_SOURCE_MAP.sub("", text))
        target = vendor / name
        target.write_text(text, encoding="utf-8")
        written.append(target)
    for name, text in TYPES.items():
        (vendor / name).write_text(text, encoding="utf-8")
    return written


def main() -> int:
    """Copy and tell how much; exit 1 in one sentence when the libraries are not there."""
    try:
        written = copy()
    except FileNotFoundError as error:
        print(f"{error.filename} is missing: run `npm ci` in {HERE} first", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in written)
    print(f"{len(written)} files, {size // 1024} kB in {VENDOR}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
