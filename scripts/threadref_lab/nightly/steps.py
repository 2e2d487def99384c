"""The steps of a night, in order: what each runs, how long that takes, and what a quick
night leaves out. `scripts/lab night` runs them."""

import os

STRESS_SCENARIOS = r"^[a-z_]+/[a-z0-9_]+$"  # one slash: the matrix has a step of its own
MEASURED = "^(finalize|ref|memory|worker)/"
PROCESSES = 20                       # of pairs; with fewer a busy quarter of an hour decides
STARTS, STARTS_QUICK = 20, 3         # of the whole bench
SLOW_PRESETS = ("clang-release", "clang19-tsan", "clang-asan", "memcheck", "aarch64")


class Step:
    """`commands` makes the list of command lines of a Night. `seconds`: about how long it takes on
    two cores, in full and quick; None: it is left out."""

    def __init__(self, name, words, seconds, commands, *, is_vital=False):
        self.name, self.words, self.commands = name, words, commands
        self.full, self.quick = seconds
        self.is_vital = is_vital  # without it the rest makes no sense

    def seconds(self, is_quick):
        return self.quick if is_quick else self.full


def build(preset):
    def commands(_):
        jobs = str(os.cpu_count() or 1)
        return [["cmake", "--preset", preset],
                ["cmake", "--build", "--preset", preset, "--parallel", jobs]]
    return commands


def controls(night):
    return [[*night.lab("pair"), "--controls", "--subject", night.default_backend(),
             "--processes", PROCESSES, "--out", night.raw / "controls.jsonl"]]


def pair(night):
    if not night.partner.commit:
        return []
    return [[*night.lab("compare"), night.partner.commit, "build/release", "--out",
             night.raw / "pair", "--processes", PROCESSES]]


def bench(night):
    """Start after start, each of all rows: what is odd for a while is odd for all of them."""
    starts = STARTS_QUICK if night.quick else STARTS
    files = ["bench.json", *(f"process-{number:02}.json" for number in range(2, starts + 1))]
    common = [night.program("release", "bench_threadref"), f"--benchmark_filter={MEASURED}",
              "--benchmark_out_format=json", *(["--smoke"] if night.quick else [])]
    commands = [[*common, f"--benchmark_out={night.raw / name}"] for name in files]
    commands[0].append(f"--samples={night.raw / 'samples.jsonl'}")
    return commands


def instructions(night):
    size = ["--runs", 3, "--subject", night.default_backend()] if night.quick else []
    return [[*night.lab("instructions"), *size, "--out", night.raw / "instructions.jsonl"]]


def matrix(night):
    folder = night.raw / "matrix"
    folder.mkdir(exist_ok=True)
    return [[night.program("release", "stress_threadref"), "--matrix", "--smoke",
             f"--out={folder}"]]


def stress(night):
    size = "--smoke" if night.quick else "--time=10m"
    return [[night.program("release", "stress_threadref"), size, f"--filter={STRESS_SCENARIOS}",
             f"--json={night.raw / 'stress.json'}"]]


def tsan(night):
    size = "--smoke" if night.quick else "--time=20m"
    # The thread sanitizer of this age aborts where addresses are randomised too much.
    return [["bash", "-c", 'source "$0"/common.sh; exec $(tsan_prefix) "$@"',
             night.script("."), night.program("tsan", "stress_threadref"), size,
             f"--filter={STRESS_SCENARIOS}", f"--json={night.raw / 'tsan.json'}"]]


def bench_canaries(night):
    return [[night.program("release", "bench_threadref"), "--canaries"]]


# Not under the sanitizer: its report would hide whether the programs themselves noticed.
def stress_canaries(night):
    return [[night.program("release", "stress_threadref"), "--canaries",
             f"--json={night.raw / 'stress-canaries.json'}"]]


def stress_rare(night):
    return [[night.program("release", "stress_threadref"), "--rare",
             "--time=2m" if night.quick else "--time=5m",
             f"--json={night.raw / 'stress-rare.json'}"]]


def targets(night):
    return [[*night.lab("targets"), *(["--quick"] if night.quick else []), "--out",
             night.raw / "targets.json"]]


def mutants(night):
    return [[*night.lab("mutate"), "--again", "--out", night.raw / "mutants.json"]]


def check(night):
    return [[night.script("check.sh"), "--all"]]


def slow_tests(night):
    return [[night.script("test.sh"), "--nightly", "--preset", "release"]]


def slow_presets(night):
    return [[night.script("test.sh"), "--preset", *SLOW_PRESETS]]


MEASURING = (
    Step("build_release", "build, optimised", (300, 60), build("release"), is_vital=True),
    Step("build_tsan", "build for the thread sanitizer", (300, 60), build("tsan"), is_vital=True),
    Step("controls", "identical code and planted work beside each other", (45, 45), controls),
    Step("pair", "today's build beside that of the last usable night", (120, 120), pair),
    Step("bench", "every benchmark, over process starts", (5100, 65), bench),
    Step("instructions", "instructions, counted", (180, 30), instructions),
    Step("matrix", "the guarantee matrix, a trial each", (90, 90), matrix),
    Step("stress", "stress", (600, 30), stress),
    Step("tsan", "stress under the thread sanitizer", (1200, 90), tsan),
    Step("bench_canaries", "does the bench notice what is broken on purpose?", (20, 20),
         bench_canaries),
    Step("stress_canaries", "does stress?", (30, 30), stress_canaries),
    Step("stress_rare", "and what is broken rarely?", (60, 60), stress_rare),
    Step("targets", "the targets of the default back end", (600, 60), targets),
    Step("mutants", "mutants of the library", (1200, None), mutants),
)
# After the night is stored: they say nothing about it, only about the tree.
AFTERWARDS = (
    Step("check", "the sources, all of them", (900, None), check),
    Step("slow_tests", "the slow tests", (900, None), slow_tests),
    Step("slow_presets", "the slow presets: clang, valgrind, aarch64", (3600, None), slow_presets),
)
