"""The layout of the sources: imports run one way, and only a database's own modules name it.

Reads every `crate::…` path in the sources of the crates and of the examples. Fails where modules import each other
in a circle, where one imports from a layer that is not below its own, where a module imports a name through `lib.rs` or
`main.rs`, and where a module names a database that is not its own.
"""

import re
import sys
from pathlib import Path

# The files that may name a database: its module, its error messages, and the crate's front page. The schema is generated.
DATABASES = ("sqlite", "postgres")
OWN_FILES = {
    name: (f"src/{name}/", f"src/error/{name}.rs", "src/lib.rs", f"axum/src/database/{name}.rs", "axum/src/lib.rs")
    for name in DATABASES
}
# How another file may refer to that module of error messages, and leave out what only one database needs.
ALLOWED = re.compile(
    r'#\[cfg\(feature = "(sqlite|postgres)"\)\]|#\[cfg\(any\(feature = "postgres", feature = "postgres-async"\)\)\]|(pub\(crate\) )?mod (sqlite|postgres);|\b(sqlite|postgres)::(is|may)_\w+'
)

# What each module of the crate may import from, besides itself. A database's module is the top; `lib.rs` names them all.
LAYERS = {
    "error": set(),
    "schema": set(),
    "model": {"error"},
    "context": {"model"},
    "export": {"error", "model"},
    "store": {"error", "model"},
    "repository": {"error", "model", "store"},
    "recorder": {"error", "model", "store", "repository"},
    "tower": {"context"},
    "tracing": {"error", "model", "context", "recorder"},
    "sqlite": {"error", "schema", "model", "store", "repository"},
    "postgres": {"error", "model", "store", "repository"},
}

failures = []


def without_comments(source):
    return re.sub(r"//[^\n]*", "", source)


def modules(root):
    """The path of each module, such as `sqlite::row`, and its file."""
    found = {}
    for file in sorted(root.rglob("*.rs")):
        parts = list(file.relative_to(root).with_suffix("").parts)
        if parts[-1] in ("mod", "lib", "main"):
            parts.pop()
        found["::".join(parts)] = file
    return found


def imported(source):
    """The `crate::…` paths, `{…}` lists included."""
    for match in re.finditer(r"\bcrate::((?:\w+::)*)(\{[^}]*\}|\w+)", source):
        prefix, names = match.groups()
        for name in re.findall(r"\w+(?:::\w+)*", names) if names.startswith("{") else [names]:
            yield prefix + name


def check(root):
    known = modules(root)
    if not known:
        failures.append(f"{root}: no source files")
    graph = {}
    for module, file in known.items():
        source = without_comments(file.read_text())
        graph[module] = set()
        # Doc-only imports and attribute strings resolve to the same paths.
        for path in imported(source):
            parts = path.split("::")
            target = next(("::".join(parts[:n]) for n in range(len(parts), 0, -1) if "::".join(parts[:n]) in known), None)
            if target is None:
                if module:
                    failures.append(f"{file}: imports crate::{path} through the root, not where it is defined")
            elif target != module:
                graph[module].add(target)
        if re.search(r"\buse super::|\bsuper::\w", re.sub(r"mod tests \{.*", "", source, flags=re.S)):
            failures.append(f"{file}: imports from `super`; name the module instead")

    done, stack = set(), []

    def visit(module):
        if module in stack:
            circle = stack[stack.index(module):] + [module]
            failures.append(f"{root}: a circle of imports: " + " -> ".join(circle))
            return
        if module in done:
            return
        stack.append(module)
        for target in sorted(graph[module]):
            visit(target)
        stack.pop()
        done.add(module)

    for module in graph:
        if module:
            visit(module)


    return graph


def check_layers(graph):
    for module, targets in graph.items():
        layer = module.split("::")[0]
        if layer not in {*LAYERS, "", "guarantees"}:
            failures.append(f"src: the module {layer} is not among the layers of .ci/layout.py")
            continue
        for target in targets:
            below = target.split("::")[0]
            if module and below != layer and below not in LAYERS[layer]:
                failures.append(f"src: {module} imports {target}, which is not below it")


def check_names(root):
    for file in sorted(Path(root).rglob("*.rs")):
        path = file.as_posix()
        for number, line in enumerate(file.read_text().splitlines(), 1):
            for name in DATABASES:
                if not path.startswith(OWN_FILES[name]) and name in ALLOWED.sub("", line).lower():
                    failures.append(f"{path}:{number}: names {name}: {line.strip()}")


check_layers(check(Path("src")))
check(Path("axum/src"))
check(Path("examples/async/src"))
check(Path("examples/server/src"))
check_names("src")
check_names("axum/src")
for failure in failures:
    print(failure, file=sys.stderr)
sys.exit(bool(failures))
