"""The one check command, for people and for CI: ``python -m tests.check``.

Format, lint, types, import contracts, module sizes and the test map. Tests themselves run by ``python -m pytest``.
"""

import ast
import subprocess
import sys
from pathlib import Path

from tests.map import TESTED_BY

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "aimon_local"
MODULE_LINES = 400
FUNCTION_LINES = 60

COMMANDS = (
    ("format", ["ruff", "format", "--check", "."]),
    ("lint", ["ruff", "check", "."]),
    ("types", ["mypy"]),
    ("walls", ["lint-imports"]),
)


def modules() -> list[Path]:
    """All modules of the package, the empty rooms' ``__init__`` left out."""
    return sorted(p for p in PACKAGE.rglob("*.py") if p.name not in ("__init__.py", "__main__.py"))


def sizes() -> list[str]:
    """Modules and functions that outgrew the house."""
    faults = []
    for path in modules():
        text = path.read_text()
        lines = text.count("\n")
        if lines > MODULE_LINES:
            faults.append(f"{path.relative_to(ROOT)}: {lines} lines, at most {MODULE_LINES}")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    faults.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines")
    return faults


def unmapped() -> list[str]:
    """Modules without a test file of their own: tests mirror the package (exceptions: ``tests/map.py``)."""
    faults = []
    for path in modules():
        inner = path.relative_to(PACKAGE)
        home = ROOT / "tests" / inner.parent / f"test_{inner.stem}.py"
        other = TESTED_BY.get(str(inner))
        if other is not None and home.exists():
            faults.append(f"tests/map.py: {inner} has its own test file, take its line out")
        elif other is not None and not (ROOT / "tests" / other[0]).exists():
            faults.append(f"tests/map.py: {inner} → tests/{other[0]} is not there")
        elif other is None and not home.exists():
            faults.append(f"{path.relative_to(ROOT)}: no {home.relative_to(ROOT)}")
    gone = [name for name in TESTED_BY if not (PACKAGE / name).exists()]
    return faults + [f"tests/map.py: {name} is no module" for name in gone]


def main() -> int:
    """Run all checks, even after a failure; exit code 1 if one failed."""
    failed = []
    for name, command in COMMANDS:
        tool = str(Path(sys.executable).with_name(command[0]))
        if subprocess.run([tool, *command[1:]], cwd=ROOT, check=False).returncode:
            failed.append(name)
    for name, faults in (("sizes", sizes()), ("test map", unmapped())):
        print("\n".join(faults) or f"{name}: kept")
        if faults:
            failed.append(name)
    print(f"check: {'failed: ' + ', '.join(failed) if failed else 'all kept'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
