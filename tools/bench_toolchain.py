"""With what a benchmark was built: counts of different compilers or libraries cannot be compared."""
import os
import pathlib
import platform
import re
import subprocess

# Libraries whose code runs, or is compiled into what runs, in the counted loops; and the counting tool.
PACKAGES = ("libbenchmark-dev", "libboost1.81-dev", "libc6-dev", "libdeflate-dev", "libisal-dev", "liblz4-dev", "libprotobuf-dev",
            "libprotozero-dev", "libsimdjson-dev", "libstdc++-12-dev", "nlohmann-json3-dev", "valgrind", "zlib1g-dev")


def printed(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"LC_ALL": "C"}).stdout
    except OSError:
        return ""


def cache_entry(text, name):
    found = re.search(rf"^{re.escape(name)}:\w+=(.*)$", text, re.M)
    return found[1] if found else ""


def compiler_of(bin_folder):
    """Of the build tree around bin_folder: what is on the machine may be another."""
    cache = pathlib.Path(bin_folder).parent / "CMakeCache.txt"
    text = cache.read_text(errors="replace") if cache.is_file() else ""
    path = cache_entry(text, "CMAKE_CXX_COMPILER")
    version = printed([path, "--version"]).splitlines() if path else []
    flags = " ".join(filter(None, (cache_entry(text, "CMAKE_CXX_FLAGS"), cache_entry(text, "PENSTOCK_SANITIZE"))))
    return (version[0] if version else "unknown"), flags


def package_versions():
    """Version of each package; those that are not installed are left out."""
    lines = printed(["dpkg-query", "-W", "-f=${db:Status-Status} ${binary:Package} ${Version}\n", *PACKAGES]).splitlines()
    installed = (line.split() for line in lines if line.startswith("installed "))
    return {name.split(":")[0]: version for _, name, version in sorted(installed)}


def processor():
    """Maker, family and model: the marketing name says less."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()
    found = [re.search(rf"^{key}\s*: (.+)$", text, re.M) for key in ("vendor_id", "cpu family", "model")]
    return " ".join(part[1] for part in found) if all(found) else platform.machine()


def toolchain_of(bin_folder):
    compiler, flags = compiler_of(bin_folder)
    return {"machine": platform.machine(), "compiler": compiler, "flags": flags, "packages": package_versions()}


def upstream(version):
    """Without Debian's revision: a security fix of one does not make counts incomparable, a release may."""
    return version.rsplit("-", 1)[0].split("+", 1)[0]


def toolchain_differences(recorded, found):
    """One line for each thing that differs enough for counts to be incomparable."""
    out = [f"{key}: {recorded.get(key)} in the baseline, {found.get(key)} here"
           for key in ("machine", "flags") if recorded.get(key) != found.get(key)]
    # "Debian clang version 19.1.7 (3~deb12u1)": what stands in brackets is the packager's.
    if recorded["compiler"].split(" (")[0] != found["compiler"].split(" (")[0]:
        out.append(f"compiler: {recorded['compiler']} in the baseline, {found['compiler']} here")
    for name in sorted(recorded["packages"].keys() | found["packages"].keys()):
        before, after = recorded["packages"].get(name, "none"), found["packages"].get(name, "none")
        if upstream(before) != upstream(after):
            out.append(f"{name}: {before} in the baseline, {after} here")
    return out
