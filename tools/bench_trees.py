"""Source trees of two revisions, side by side and outside the repository, and their benchmark programs."""
import io
import os
import pathlib
import subprocess
import tarfile

from bench_counts import ROOT


class BuildError(Exception):
    """What could not be read or built, for the user."""


def git(*arguments, folder=ROOT):
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True)
    if done.returncode != 0:
        raise BuildError(f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def files_of_revision(revision):
    """{name: (bytes, mode)}, read from the object store: nothing of the working tree or of .git is touched."""
    with tarfile.open(fileobj=io.BytesIO(git("archive", "--format=tar", revision))) as archive:
        return {one.name: (archive.extractfile(one).read(), one.mode) for one in archive.getmembers() if one.isfile()}


def files_of_folder(folder):
    """The same of a folder with sources, committed or not; what git ignores is left out where git knows the folder."""
    folder = pathlib.Path(folder)
    if (folder / ".git").exists():
        names = git("ls-files", "-co", "--exclude-standard", folder=folder).decode().splitlines()
    else:
        names = [str(path.relative_to(folder)) for path in folder.rglob("*")]
        names = [name for name in names if not name.startswith("build/") and "__pycache__" not in name]
    paths = {name: folder / name for name in names if (folder / name).is_file()}
    return {name: (path.read_bytes(), path.stat().st_mode & 0o777) for name, path in paths.items()}


def is_folder(what):
    """A folder with sources; another that happens to be called like a branch does not hide it."""
    return (pathlib.Path(what) / "CMakePresets.json").is_file()


def described(what):
    """A name for the report, the same for everyone who has the revision."""
    if is_folder(what):
        return pathlib.Path(what).resolve().name + " (folder)"
    revision = f"{what}^{{commit}}"
    return git("log", "-1", "--format=%h %s", git("rev-parse", "--verify", revision).decode().strip()).decode().strip()


def write_tree(files, folder):
    """Makes `folder` hold just these files. Equal ones keep their times, so that a second build has less to do."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in list(folder.rglob("*")):
        if path.is_file() and str(path.relative_to(folder)) not in files:
            path.unlink()
    for name, (content, mode) in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        path.chmod(mode)


def build(source, build_folder):
    """penstock-bench in preset release; returns its folder. Equal sources of two trees are compiled once: ccache is told
    that where a tree lies does not matter."""
    environment = os.environ | {"CCACHE_BASEDIR": str(source.parent), "CCACHE_NOHASHDIR": "1"}
    environment.pop("CMAKE_BUILD_PARALLEL_LEVEL", None)
    for command in (["cmake", "--preset", "release", "-DPENSTOCK_TESTS=OFF", "-B", str(build_folder)],
                    ["cmake", "--build", str(build_folder), "--target", "penstock-bench", "-j", str(os.cpu_count() or 1)]):
        done = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise BuildError(f"{' '.join(command[:3])} of {source.parent.name} failed:\n{(done.stdout + done.stderr)[-4000:]}")
    return build_folder / "bin"


def built(what, folder):
    """The folder of penstock-bench of a revision, or of a folder with sources, built below `folder`."""
    files = files_of_folder(what) if is_folder(what) else files_of_revision(what)
    if "CMakePresets.json" not in files:
        raise BuildError(f"{what}: no sources of Penstock")
    if "bench/row.cpp" not in files or b"count_iterations" not in files["bench/row.cpp"][0]:
        raise BuildError(f"{what}: its penstock-bench cannot count yet (no --count-iterations); compare with a later revision")
    write_tree(files, folder / "source")
    return build(folder / "source", folder / "build")
