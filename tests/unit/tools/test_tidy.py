"""tools/tidy.py finds what it is there to find, and nothing in code that is right. Run by ctest; needs no build."""
import importlib.util
import pathlib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
spec = importlib.util.spec_from_file_location("tidy", ROOT / "tools/tidy.py")
tidy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tidy)


def source(name, text):
    """A source that is not on the disk."""
    made = tidy.Source.__new__(tidy.Source)
    made.name, made.text, made.lines, made.code = name, text, text.count("\n"), tidy.bare(text)
    made.includes = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#include"):
            made.includes.append((number, line.split()[1][1:-1], '"' in line))
    return made


def problems(check, *made):
    report = tidy.Report()
    check(*made, report)
    return [(name, line) for name, line, _ in report.problems]


def includes(name, text):
    made = source(name, text)
    return problems(lambda s, r: tidy.check_includes({s.name: s}, r), made)


def words(name, text):
    made = source(name, text)
    return problems(lambda s, r: tidy.check_words([], {s.name: s}, r), made)


def coroutines(text):
    return [line for _, line in problems(tidy.check_coroutines, source("stages/x.cpp", text))]


class IncludeRules(unittest.TestCase):
    def test_flow_may_not_include_stages(self):
        self.assertEqual(includes("engine/flow/x.hpp", '#include "stages/types.hpp"\n'), [("engine/flow/x.hpp", 1)])

    def test_net_and_host_do_not_see_each_other(self):
        self.assertEqual(len(includes("engine/net/x.cpp", '#include "engine/host/io_context.hpp"\n')), 1)
        self.assertEqual(len(includes("engine/host/x.cpp", '#include "engine/net/http_pool.hpp"\n')), 1)

    def test_the_emulator_shares_no_code_with_the_stages(self):
        self.assertEqual(len(includes("tools/emulator/x.cpp", '#include "stages/decode.hpp"\n')), 1)

    def test_a_stage_does_not_include_another_stage_but_the_spine_does(self):
        text = '#include "stages/types.hpp"\n#include "stages/decode.hpp"\n'
        self.assertEqual(includes("stages/parse.cpp", text), [("stages/parse.cpp", 2)])
        self.assertEqual(includes("stages/decode.cpp", text), [])
        self.assertEqual(includes("stages/data_path.cpp", text), [])

    def test_an_outside_library_stays_in_its_part(self):
        self.assertEqual(len(includes("stages/x.cpp", "#include <boost/beast/http.hpp>\n")), 1)
        self.assertEqual(len(includes("engine/net/x.cpp", "#include <boost/beast/http.hpp>\n")), 0)
        self.assertEqual(len(includes("engine/net/x.hpp", "#include <boost/beast/http.hpp>\n")), 1)
        self.assertEqual(len(includes("stages/parse.hpp", "#include <simdjson.h>\n")), 1)


class Words(unittest.TestCase):
    def test_time_and_chance_come_through_the_ports(self):
        for text in ("auto t = std::chrono::steady_clock::now();", "asio::steady_timer t(ex);", "std::random_device d;"):
            self.assertEqual(words("stages/x.cpp", text), [("stages/x.cpp", 1)], text)
            self.assertEqual(words("engine/host/x.cpp", text), [], text)

    def test_comments_and_literals_are_no_code(self):
        self.assertEqual(words("stages/x.cpp", '// steady_timer\nauto s = "io_context"; auto r = R"(io_context)";\n'), [])

    def test_detached_is_found_anywhere_in_code(self):
        self.assertEqual(words("tests/x.cpp", "\nco_spawn(ex, f(), asio::" + "detached);"), [("tests/x.cpp", 2)])


class Coroutines(unittest.TestCase):
    def test_one_co_await_in_a_statement(self):
        self.assertEqual(coroutines("task<> f() {\n  co_await a();\n  g(co_await a(),\n    co_await b());\n}\n"), [3])

    def test_a_lambda_with_captures_is_no_coroutine(self):
        self.assertEqual(coroutines("void f() {\n  auto g = [&x]() -> task<> { co_await x; };\n}\n"), [2])
        self.assertEqual(coroutines("void f() {\n  auto g = [](int x) -> task<> { co_await h(x); };\n}\n"), [])

    def test_a_lambda_around_a_coroutine_lambda_may_capture(self):
        self.assertEqual(coroutines("void f() {\n  auto g = [&] { spawn([](int x) -> task<> { co_return; }(y)); };\n}\n"), [])

    def test_a_lambda_in_a_coroutine_may_capture(self):
        self.assertEqual(coroutines("task<> f() {\n  auto g = [&] { return x; };\n  co_await h(g);\n}\n"), [])

    def test_no_lock_over_a_co_await(self):
        held = "task<> f() {\n  std::lock_guard lock(m);\n  co_await g();\n}\n"
        self.assertEqual(coroutines(held), [3])
        self.assertEqual(coroutines(held.replace("g()", "park(lock)")), [])
        self.assertEqual(coroutines("task<> f() {\n  { std::lock_guard lock(m); ++n; }\n  co_await g();\n}\n"), [])


class Sizes(unittest.TestCase):
    def test_functions_are_measured_with_their_lambdas(self):
        text = "namespace a {\nstruct s {\n  int f() const {\n    return g([] {\n      return 1;\n    });\n  }\n};\n" \
               "template <class T>\nint s::g(T t)\n{\n  if (t) {\n  }\n  return 1'000;\n}\n}\n"
        self.assertEqual([(n, l) for n, _, l in tidy.functions(tidy.bare(text))], [("f", 5), ("s::g", 7)])

    def test_initialisers_are_no_functions(self):
        text = "constexpr std::array<int, 2> a = {\n  1,\n  2};\nenum class e { x, y };\n"
        self.assertEqual(list(tidy.functions(tidy.bare(text))), [])


if __name__ == "__main__":
    unittest.main()
