"""What git is asked by a night: which commit a name means, which are between two, and whose build
today's is set beside."""

import subprocess

from threadref_lab.cli.status import FINE, MISUSE, Unusable

DIRTY = "-dirty"
CODE = ("--", ".", ":!results")  # results are added every morning, and change no program


def git(root, *arguments):
    """What git says; nothing where it fails."""
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() if done.returncode == FINE else ""


def here(root):
    """The commit's short name, with a mark for a tree whose code has changes."""
    changed = git(root, "status", "--porcelain", "--untracked-files=no", *CODE)
    return (known(root, "HEAD") or "unknown") + (DIRTY if changed else "")


def plain(name):
    return name.removesuffix(DIRTY)


def known(root, name):
    """The commit's short name, or nothing."""
    return git(root, "rev-parse", "--verify", "--quiet", "--short=12", f"{name}^{{commit}}")


def of_code(root, name):
    """The commit that last changed code, up to this one: so that it is built once, however often
    results were added."""
    found = git(root, "rev-list", "-1", name, *CODE) if known(root, name) else ""
    return known(root, found) if found else ""


def between(root, older, newer):
    """Full names of the commits after `older` up to `newer` that change code, oldest first."""
    return git(root, "rev-list", "--reverse", f"{plain(older)}..{plain(newer)}", *CODE).split()


class Partner:
    """The build that today's is set beside; or why there is none."""

    def __init__(self, commit="", run="", why=""):
        self.commit, self.run, self.why = commit, run, why

    def described(self):
        return {key: value for key, value in vars(self).items() if value}


def partner_of(root, runs, since, other_than=""):
    """Of `since`, a run or a commit; else of the newest usable run whose commit can be built, and
    is not `other_than`."""
    if since:
        named = next((run for run in runs if run.name == since), None)
        commit = of_code(root, plain(named.commit) if named else since)
        if not commit:
            raise Unusable(f"--since {since}: neither a stored run of this machine nor a commit",
                           MISUSE)
        return Partner(commit, named.name if named else "")
    why = "there was no usable night before to compare with"
    for run in reversed(runs):
        commit = "" if run.commit.endswith(DIRTY) else of_code(root, run.commit)
        if not run.is_usable or commit and commit == other_than:
            continue
        if commit:
            return Partner(commit, run.name)
        why = (f"the commit of {run.name}, {run.commit}, can't be built again: "
               + ("its tree had changes" if run.commit.endswith(DIRTY) else
                  "git does not have it"))
    return Partner(why=why)
