#!/usr/bin/env python3
"""What we agreed on, checked by program: who may include whom, the order of the stages, words and forms that are not used,
time and chance only through the ports, sizes that only shrink.

    tools/tidy.py                       everything but --headers; about a second
    tools/tidy.py --headers [--build D] each header compiles alone, with the flags of D/compile_commands.json
    tools/tidy.py --tighten             writes today's smaller sizes into tools/tidy_limits.txt; never a larger one

Prints FILE:LINE: problem (what to do) and ends with 1 when there is one. Python's standard library only.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMITS_FILE = ROOT / "tools/tidy_limits.txt"
CODE_FOLDERS = ("engine", "stages", "tools", "tests", "bench")
SKIPPED = ("tests/fuzz/corpus/", "tests/data/")

# --- the rules -----------------------------------------------------------------------------------------------------

# Who may include whom: files below the first may include files below the second; the longest folder decides.
MAY_INCLUDE = {
    "engine/base": ("engine/base",),
    "engine/flow": ("engine/base", "engine/flow"),
    "engine/net": ("engine/base", "engine/flow", "engine/net"),
    "engine/host": ("engine/base", "engine/flow", "engine/host"),
    "stages": ("engine/base", "engine/flow", "stages"),
    "tools/emulator": ("engine/base", "tools/emulator"),
    "tools/simulation": ("engine/base", "engine/flow", "stages", "tools/simulation"),
    # The bench command measures with the generator of the test cloud, and shares nothing else with it.
    "tools/penstock": ("engine", "stages", "tools/penstock", "tools/emulator/event_source.hpp"),
    "tools": ("engine", "stages", "tools"),
    "tests": ("engine", "stages", "tools", "tests"),
    "tests/unit/bench": ("engine", "stages", "tools", "tests", "bench"),
    "bench": ("engine", "stages", "tools", "tests", "bench"),
}

STAGES = ("fetch", "decompress", "decode", "parse", "transform", "batch", "compress", "upload")
PURE_STAGES = STAGES[1:-1]
FLOWING = ("fetched_block", "plain_block", "log_groups", "records", "rows", "body", "receipt")

# Outside libraries: the start of their headers' names, and the .cpp files (or folders) that may include them. Below
# engine, stages and tools/penstock no header does, but for Asio in the engine's own vocabulary.
OUTSIDE = {
    "boost/beast": ("engine/net/", "tools/emulator/http_server.cpp"),
    "boost/asio/ssl": ("engine/net/", "tools/emulator/http_server.cpp"),
    "boost/": ("engine/", "tools/penstock/", "tools/emulator/http_server.cpp"),
    "openssl/": ("engine/base/", "engine/net/", "stages/", "tools/emulator/", "tools/penstock/bench_tls.cpp",
                 "tools/penstock/bench_aes.cpp"),
    "simdjson": ("stages/", "tools/penstock/"),
    "rapidjson/": ("stages/", "tools/emulator/"),
    "protozero/": ("stages/",),
    "lz4": ("stages/", "tools/emulator/", "tools/penstock/bench_blocks.cpp"),
    "zstd": ("stages/", "engine/host/", "tools/emulator/"),
    "libdeflate": ("stages/", "tools/emulator/"),
    "igzip": ("stages/",),
    "isa-l": ("stages/",),
    "zlib": ("tools/emulator/",),
    "sqlite3": ("engine/host/",),
    "yaml": ("engine/host/",),
    "spdlog": ("engine/base/",),
    "prometheus": ("engine/base/",),
    "fmt/": ("engine/base/", "tools/penstock/"),
    "CLI/": ("tools/penstock/", "tools/emulator/"),
}
ASIO_HEADERS_ALLOWED = ("engine/flow/", "engine/net/", "engine/host/")

# Nowhere, in any text. (Written so that this file passes its own check.)
WORDS_ANYWHERE = {
    r"\bFIX[M]E\b": "open work belongs in the tracker, not in the tree",
    r"\bX[X]X\b": "open work belongs in the tracker, not in the tree",
    r"\bTO[D]O\b": "open work belongs in the tracker, not in the tree",
    r"(?<![\w.~-])/(?:work|root)/": "paths of one machine mean nothing to others",
}
# Not in code; comments may explain why.
WORDS_IN_CODE = {
    r"asio::[d]etached": "it swallows exceptions; use engine::scope",
    r"experimental::[\w:]*[c]hannel": "it loses items when closed; use engine::bounded_queue",
    r"awaitable_[o]perators": "a raced operation loses its result; close what is waited on instead",
    r"\busing namespace boost": "names of Boost stay visible as such",
}
# Only through the ports, in engine/base, engine/flow and stages.
PORT_FOLDERS = ("engine/base/", "engine/flow/", "stages/")
NOT_PURE = {
    r"\b(?:steady|system|high_resolution|utc)_clock::now\b": "take the time from the Clock port",
    r"\bsteady_timer\b|\bsystem_timer\b|\bsleep_for\b": "wait through the Clock port",
    r"\bstd::time\s*\(|\bgettimeofday\b|\bclock_gettime\b": "take the time from the Clock port",
    r"\bio_context\b": "take an executor",
    r"\bstd::j?thread\b": "threads belong to engine/host",
    r"\bstd::s?rand\b|\brandom_device\b|\bmt19937\b": "take numbers from the Rng port",
    r"\bgetenv\b": "the environment belongs to tools/penstock and engine/host",
}

FILE_LINES_MAX = {"engine": 250, "stages": 250, "tools": 250, "tests": 400, "bench": 250}
FUNCTION_LINES_MAX = {"engine": 60, "stages": 60, "tools": 60, "tests": 80, "bench": 60}

# --- reading the tree ----------------------------------------------------------------------------------------------


def tracked_files():
    """Every text file of the repository, build trees excluded, as paths relative to it."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
    if listed.returncode == 0:
        names = listed.stdout.splitlines()
    else:  # an unpacked archive
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if p.is_file()]
        names = [n for n in names if not n.startswith(("build/", ".git/"))]
    return sorted({n for n in names if (ROOT / n).is_file() and not n.startswith(SKIPPED)})


def is_code(name):
    return name.endswith((".cpp", ".hpp")) and name.split("/")[0] in CODE_FOLDERS


TOKEN = re.compile(
    r'R"(?P<delimiter>[^\s()\\]{0,16})\(.*?\)(?P=delimiter)"'  # raw string
    r"|//(?:[^\n\\]|\\.|\\\n)*"
    r"|/\*.*?\*/"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|(?<![0-9a-zA-Z_])'(?:[^'\\\n]|\\.)+'"  # not the separator in 1'000
    r"|^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*",
    re.S | re.M)


def bare(text):
    """The code alone: comments, literals and preprocessor lines are blanks, lines keep their numbers."""
    return TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


class Source:
    def __init__(self, name):
        self.name = name
        self.text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        self.lines = self.text.count("\n")
        self.code = bare(self.text)
        self.includes = []  # (line, name, quoted)
        for number, line in enumerate(self.text.splitlines(), 1):
            found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if found:
                self.includes.append((number, found[2], found[1] == '"'))

    def resolved(self, include):
        beside = os.path.normpath(os.path.join(os.path.dirname(self.name), include))
        for candidate in (include, beside):
            if (ROOT / candidate).is_file():
                return candidate
        return None

    def line_of(self, offset):
        return self.code.count("\n", 0, offset) + 1


class Report:
    def __init__(self):
        self.problems = []
        self.notes = []

    def add(self, name, line, text):
        self.problems.append((name, line, text))


def in_folder(name, folders):
    return any(name == f or name.startswith(f if f.endswith("/") else f + "/") for f in folders)


# --- includes ------------------------------------------------------------------------------------------------------


def stage_of(name):
    """The stage a file of stages/ belongs to: batch.cpp, compress_igzip.cpp; None for the spine and its helpers."""
    stem = pathlib.PurePath(name).stem
    if pathlib.PurePath(name).parent.as_posix() != "stages":
        return None
    return next((s for s in STAGES if stem == s or stem.startswith(s + "_")), None)


def check_includes(sources, report):
    for source in sources.values():
        rule = max((f for f in MAY_INCLUDE if in_folder(source.name, (f,))), key=len, default=None)
        if rule is None:
            report.add(source.name, 1, "in a folder without an include rule (add one to tools/tidy.py)")
            continue
        own_stage = stage_of(source.name)
        for line, include, quoted in source.includes:
            target = source.resolved(include) if quoted else None
            if quoted and target is None:
                report.add(source.name, line, f'"{include}" is no file of this repository (outside headers stand in <>)')
                continue
            if target is None:
                check_outside(source, line, include, report)
                continue
            if not in_folder(target, MAY_INCLUDE[rule]):
                report.add(source.name, line, f"{rule} may not include {target} (only {', '.join(MAY_INCLUDE[rule])})")
            other = stage_of(target)
            if own_stage and other and other != own_stage and target.endswith(".hpp"):
                report.add(source.name, line, f"stage {own_stage} includes stage {other} (what they share belongs in types.hpp)")


def check_outside(source, line, include, report):
    if not in_folder(source.name, ("engine", "stages", "tools")):
        return
    library = max((p for p in OUTSIDE if include.startswith(p)), key=len, default=None)
    if library is None:
        return
    if not in_folder(source.name, OUTSIDE[library]):
        report.add(source.name, line, f"<{include}> here (only in {', '.join(OUTSIDE[library])})")
    if source.name.endswith(".hpp") and not source.name.startswith("tools/emulator/"):
        asio = include.startswith("boost/asio/") and not include.startswith("boost/asio/ssl")
        if not (asio and in_folder(source.name, ASIO_HEADERS_ALLOWED)):
            report.add(source.name, line, f"<{include}> in a header (an outside library is included by the .cpp it serves)")


def check_pure_headers(sources, report):
    """The headers of the pure stages reach no Asio, by whatever way."""
    for stage in PURE_STAGES + ("types",):
        start = f"stages/{stage}.hpp"
        if start not in sources:
            report.add(start, 1, "is missing")
            continue
        seen, work = {start}, [(start, start)]
        while work:
            name, way = work.pop()
            for _, include, quoted in sources[name].includes:
                if include.startswith("boost/"):
                    report.add(start, 1, f"a pure stage reaches <{include}> by {way}")
                target = sources[name].resolved(include) if quoted else None
                if target in sources and target not in seen:
                    seen.add(target)
                    work.append((target, f"{way} > {target}"))


# --- the order of the stages ---------------------------------------------------------------------------------------


def check_order(sources, report):
    """Wherever a line shows most of the path, it shows all of it, in order; and some places must show it."""
    drawings = ["stages/data_path.hpp", "README.md", "docs/architecture.md"]
    for name in drawings:
        path = ROOT / name
        if not path.is_file():
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        shown = False
        for number, line in enumerate(lines, 1):
            words = [w for w in re.findall(r"[a-z]+", line) if w in STAGES]
            if len(set(words)) < 6 or ("→" not in line and "->" not in line):
                continue
            shown = True
            if tuple(dict.fromkeys(words)) != STAGES:
                report.add(name, number, f"the path is drawn as {' '.join(words)} (it is {' '.join(STAGES)})")
        if not shown:
            report.add(name, 1, "does not draw the data path in one line with arrows")
    types = sources.get("stages/types.hpp")
    if types:
        first = next((l for l in types.text.splitlines() if "→" in l), "")
        if tuple(w for w in re.findall(r"\w+", first) if w in FLOWING) != FLOWING:
            report.add("stages/types.hpp", 1, f"the first comment does not say {' → '.join(FLOWING)}")
        headed = [(m[1], types.text.count("\n", 0, m.start()) + 1) for m in re.finditer(r"^// --- (\w+)", types.text, re.M)]
        shown = [w for w, _ in headed if w in FLOWING]
        if shown != [w for w in FLOWING if w in shown]:
            report.add("stages/types.hpp", headed[0][1], f"sections stand as {' '.join(shown)}")
    names = sources.get("stages/telemetry.hpp")
    enum = re.search(r"enum class stage_name[^{]*\{([^}]*)\}", names.code) if names else None
    if enum and tuple(w for w in re.findall(r"\w+", enum[1]) if w in STAGES) != STAGES:
        report.add("stages/telemetry.hpp", names.line_of(enum.start()), "stage_name is not in the order of the path")


# --- words and forms -----------------------------------------------------------------------------------------------


def check_words(names, sources, report):
    for name in names:
        try:
            lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            for pattern, why in WORDS_ANYWHERE.items():
                if re.search(pattern, line):
                    report.add(name, number, f"{re.search(pattern, line)[0]} ({why})")
    for source in sources.values():
        patterns = dict(WORDS_IN_CODE)
        if in_folder(source.name, PORT_FOLDERS):
            patterns.update(NOT_PURE)
        for pattern, why in patterns.items():
            for found in re.finditer(pattern, source.code):
                report.add(source.name, source.line_of(found.start()), f"{found[0]} ({why})")
        for line, include, _ in source.includes:
            for pattern, why in WORDS_IN_CODE.items():
                if re.search(pattern, include):
                    report.add(source.name, line, f"<{include}> ({why})")


def closing(code, at, pair="{}"):
    """The offset of what closes the bracket at `at`, or the end."""
    depth = 0
    for i in range(at, len(code)):
        if code[i] == pair[0]:
            depth += 1
        elif code[i] == pair[1]:
            depth -= 1
            if depth == 0:
                return i
    return len(code)


LAMBDA = re.compile(r"(?<![\w)\]\[])\s*\[(?!\[)")


def lambdas(code):
    """(start, captures, body start, body end) of each lambda expression."""
    for found in LAMBDA.finditer(code):
        start = found.end() - 1
        before = code[:start].rstrip()
        if before and (before[-1].isalnum() or before[-1] in "_)]") and not re.search(r"\b(?:return|co_return|co_await)$", before):
            continue  # a subscript
        capture_end = closing(code, start, "[]")
        at = capture_end + 1
        rest = re.compile(r"\s*(?:<[^>{}]*>)?\s*").match(code, at).end()
        if rest < len(code) and code[rest] == "(":
            rest = closing(code, rest, "()") + 1
        opening = re.compile(r"[\s\w:<>,&*()\[\]-]*\{").match(code, rest)
        if opening is None:
            continue
        body = opening.end() - 1
        yield start, code[start + 1:capture_end].strip(), body, closing(code, body)


def check_coroutines(source, report):
    code = source.code
    if "co_" not in code:
        return
    begin = 0
    for found in re.finditer(r"[;{}]", code):
        statement = code[begin:found.start()]
        if len(re.findall(r"\bco_await\b", statement)) > 1:
            line = source.line_of(begin + len(statement) - len(statement.lstrip()))
            report.add(source.name, line, "more than one co_await in a statement (name the first result)")
        begin = found.end()
    every = list(lambdas(code))
    for start, captures, body, end in every:
        own = code[body:end]
        for _, _, inner_body, inner_end in every:
            if body < inner_body and inner_end < end:
                own = own[:inner_body - body] + " " * (inner_end - inner_body) + own[inner_end - body:]
        if captures and re.search(r"\bco_(?:await|return|yield)\b", own):
            report.add(source.name, source.line_of(start),
                       "a coroutine lambda with captures (they die with the lambda, not with the coroutine; pass parameters)")
    check_locks(source, report)


def check_locks(source, report):
    """No lock is held over a co_await, unless the awaited call is given the lock to release."""
    code = source.code
    for found in re.finditer(r"\b(?:std::)?(?:lock_guard|unique_lock|scoped_lock)\b(?:<[^;>]*>)?\s+(\w+)\s*[({]", code):
        depth = 0
        for step in re.finditer(r"[{}]|\bco_await\b[^;]*;|\b%s\.unlock\(\)" % found[1], code[found.end():]):
            word = step[0]
            if word == "{":
                depth += 1
            elif word == "}":
                depth -= 1
                if depth < 0:
                    break
            elif word.endswith("unlock()"):
                break
            elif not re.search(r"\b%s\b" % found[1], word):
                report.add(source.name, source.line_of(found.end() + step.start()), f"co_await while `{found[1]}` is locked")
                break


# --- sizes ---------------------------------------------------------------------------------------------------------


def functions(code):
    """(name, first line's offset, lines) of each function body, lambdas counted with the function they stand in."""
    stack = []  # kinds of the open braces: 'scope', 'function', 'other'
    head = 0    # where the text before the next brace begins
    start = 0
    name = ""
    for found in re.finditer(r"[{};]", code):
        mark = found[0]
        if mark == ";":
            head = found.end()
            continue
        if mark == "}":
            if stack:
                kind = stack.pop()
                if kind == "function" and "function" not in stack:
                    yield name, start, code.count("\n", start, found.end()) + 1
            head = found.end()
            continue
        before = code[head:found.start()]
        kind = "other"
        if "function" not in stack:
            signature = re.sub(r"\b(?:public|private|protected)\s*:(?!:)", "", before)
            if re.search(r"\bnamespace\b[\w\s:]*$", signature) or re.search(r'\bextern\b\s*$', signature):
                kind = "scope"
            elif re.search(r"\b(?:class|struct|union|enum)\b[^()=]*$", re.sub(r"alignas\s*\([^)]*\)|requires\s*\([^)]*\)", "", signature)):
                kind = "scope"
            elif "(" in signature and not re.search(r"=\s*(?:\w[\w:<>, ]*)?$", signature):
                kind = "function"
                called = re.search(r"([\w:~]+|operator\s*\W{1,3}|operator\s*\(\s*\))\s*\(", signature)
                name = re.sub(r"\s+", "", called[1]) if called else "?"
                start = head + len(before) - len(before.lstrip())
        stack.append(kind)
        head = found.end()
    if stack:
        yield None, 0, 0


def read_limits():
    limits = {}
    if LIMITS_FILE.is_file():
        for line in LIMITS_FILE.read_text(encoding="utf-8").splitlines():
            words = line.split("#")[0].split()
            if len(words) == 3 and words[0] == "file":
                limits[("file", words[1], "")] = int(words[2])
            elif len(words) == 4 and words[0] == "function":
                limits[("function", words[1], words[2])] = int(words[3])
    return limits


def measure(sources, report):
    sizes = {}
    for source in sources.values():
        top = source.name.split("/")[0]
        sizes[("file", source.name, "")] = (source.lines, FILE_LINES_MAX[top], 1)
        for name, start, lines in functions(source.code):
            if name is None:
                report.notes.append(f"{source.name}: braces do not balance; its functions were not measured")
                continue
            key = ("function", source.name, name)
            if key not in sizes or sizes[key][0] < lines:
                sizes[key] = (lines, FUNCTION_LINES_MAX[top], source.line_of(start))
    return sizes


def check_sizes(sources, report, tighten):
    limits = read_limits()
    sizes = measure(sources, report)
    kept = {}
    for key, (lines, default, line) in sizes.items():
        limit = max(limits.get(key, 0), default)
        what = key[1] if key[0] == "file" else f"{key[2]}()"
        if lines > limit:
            report.add(key[1], line, f"{what} has {lines} lines, more than {limit} (split it; limits only shrink)")
        if key in limits and lines > default:
            kept[key] = min(limits[key], lines)
    for key in limits:
        if key not in kept:
            report.notes.append(f"tools/tidy_limits.txt: {' '.join(filter(None, key))} needs no limit of its own any more (--tighten)")
    if tighten:
        head = [l for l in LIMITS_FILE.read_text(encoding="utf-8").splitlines() if l.startswith("#")]
        body = [" ".join(filter(None, key)) + f" {lines}" for key, lines in sorted(kept.items())]
        LIMITS_FILE.write_text("\n".join(head + body) + "\n", encoding="utf-8")


# --- headers alone -------------------------------------------------------------------------------------------------


def flags_by_folder(build):
    """For each folder the flags of one file compiled in it: includes, definitions, language."""
    out = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        file = os.path.relpath(entry["file"], ROOT)
        words = entry.get("arguments") or shlex.split(entry["command"])
        kept, take_next = [], False
        for word in words:
            if take_next or word.startswith(("-I", "-D", "-isystem", "-std", "-W", "-f")):
                kept.append(word)
                take_next = word in ("-isystem", "-I", "-D") and not take_next
        out.setdefault(os.path.dirname(file), (entry["directory"], kept))
    return out


def check_headers(sources, report, build):
    by_folder = flags_by_folder(build)
    # Headers of folders without a .cpp of their own use what their tests or programs are compiled with.
    fallback = {"tests": "tests/unit/stages", "tools": "tools/emulator", "bench": "bench", "engine": "engine/net", "stages": "stages"}

    def compile_one(name):
        folder = os.path.dirname(name)
        chosen = by_folder.get(folder) or by_folder.get(fallback[name.split("/")[0]]) or by_folder.get("stages")
        if chosen is None:
            return name, "no flags for it in compile_commands.json"
        command = ["clang++-19", *chosen[1], f"-I{ROOT}", "-fsyntax-only", "-Wno-pragma-once-outside-header",
                   "-Wno-unused-function", "-Wno-unused-const-variable", "-x", "c++", str(ROOT / name)]
        done = subprocess.run(command, cwd=chosen[0], capture_output=True, text=True)
        first = next((l for l in done.stderr.splitlines() if "error:" in l), "")
        return name, first if done.returncode else None

    names = [n for n in sources if n.endswith(".hpp")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, problem in pool.map(compile_one, names):
            if problem:
                report.add(name, 1, f"does not compile alone: {problem}")
    print(f"tidy: {len(names)} headers compiled alone", file=sys.stderr)


# --- all of it -----------------------------------------------------------------------------------------------------


def newest_build():
    found = sorted(ROOT.glob("build/*/compile_commands.json"), key=lambda p: p.stat().st_mtime)
    return found[-1].parent if found else None


def main():
    arguments = argparse.ArgumentParser(description="Style by program; see the head of this file.")
    arguments.add_argument("--headers", action="store_true", help="compile each header alone, and nothing else")
    arguments.add_argument("--build", type=pathlib.Path, help="build tree for --headers (default: the newest in build/)")
    arguments.add_argument("--tighten", action="store_true", help="lower the limits to today's sizes")
    options = arguments.parse_args()

    names = tracked_files()
    sources = {n: Source(n) for n in names if is_code(n)}
    report = Report()
    if options.headers:
        build = options.build or newest_build()
        if build is None:
            sys.exit("tidy: --headers needs a configured build tree (cmake --preset dev)")
        check_headers(sources, report, build)
    else:
        check_includes(sources, report)
        check_pure_headers(sources, report)
        check_order(sources, report)
        check_words(names, sources, report)
        for source in sources.values():
            check_coroutines(source, report)
        check_sizes(sources, report, options.tighten)
    for name, line, text in sorted(set(report.problems)):
        print(f"{name}:{line}: {text}")
    for note in report.notes:
        print(f"tidy: note: {note}", file=sys.stderr)
    print(f"tidy: {len(sources)} sources, {len(set(report.problems))} problems", file=sys.stderr)
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
