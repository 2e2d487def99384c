"""What a run ran on: the environment block of a stored night, and the hash of what in it must not
change between two nights that are set side by side."""

import hashlib
import os
import re
import subprocess
from pathlib import Path

# Beside these, the block holds what a night may differ in: load, steal, the build's own id. A new
# value of any of these begins a new segment of every series.
HASHED = ("cpu", "cpu_flags_hash", "microcode", "hypervisor", "cores", "kernel", "libc",
          "compiler", "flags", "build_type", "allocator", "aslr", "transparent_huge_pages",
          "governor", "pinned_cpu", "glibc_tunables")
CPU = Path("/sys/devices/system/cpu")


def text_of(path):
    """The file's text; "unknown" where there is no such file, or it can't be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "unknown"


def short_hash(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def of_cpuinfo(text):
    """CPU model, a hash of what it can do, and its microcode, of /proc/cpuinfo."""
    found = dict(re.findall(r"^(model name|flags|Features|microcode)\s*: (.*)$", text, re.M))
    flags = sorted(found.get("flags", found.get("Features", "")).split())
    return {"cpu": found.get("model name", "unknown"),
            "cpu_flags_hash": short_hash(" ".join(flags)) if flags else "unknown",
            "microcode": found.get("microcode", "unknown")}


def hypervisor(cpuinfo):
    vendor = text_of("/sys/hypervisor/type")
    if vendor != "unknown":
        return vendor
    if not re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.M):
        return "none seen"
    product = text_of("/sys/class/dmi/id/product_name")
    return product if product != "unknown" else "some, which does not say its name"


def governor():
    found = {text_of(path) for path in CPU.glob("cpu[0-9]*/cpufreq/scaling_governor")}
    return ", ".join(sorted(found)) or "none"


def chosen(text):
    """The word in brackets, which is how the kernel marks a choice."""
    found = re.search(r"\[(\w+)\]", text)
    return found[1] if found else text


def build_id(program):
    """Of an ELF file, as readelf tells it; "unknown" of anything else."""
    try:
        done = subprocess.run(["readelf", "-n", program], capture_output=True, text=True,
                              check=False)
    except OSError:
        return "unknown"
    found = re.search(r"Build ID: ([0-9a-f]+)", done.stdout)
    return found[1] if found else "unknown"


def cpu_times():
    """(stolen, all) since the machine started, in ticks."""
    line = re.search(r"^cpu +(.*)$", text_of("/proc/stat"), re.M)
    ticks = [int(number) for number in line[1].split()][:8] if line else []
    return (ticks[7] if len(ticks) == 8 else 0), sum(ticks)


def steal_percent(before, after):
    everything = after[1] - before[1]
    return 100 * (after[0] - before[0]) / everything if everything > 0 else 0.0


def before():
    """What has to be asked before the run, for observe()."""
    return {"load": os.getloadavg()[0], "cpu_times": list(cpu_times())}


def observe(program, first, context):
    """The block, all strings: `first` is what before() gave, `context` what the bench says."""
    cpuinfo = text_of("/proc/cpuinfo")
    seen = {**of_cpuinfo(cpuinfo), "hypervisor": hypervisor(cpuinfo),
            "cores": str(len(os.sched_getaffinity(0))), "kernel": os.uname().release,
            "libc": os.confstr("CS_GNU_LIBC_VERSION") or "unknown", "build_id": build_id(program),
            "aslr": text_of("/proc/sys/kernel/randomize_va_space"),
            "transparent_huge_pages": chosen(
                text_of("/sys/kernel/mm/transparent_hugepage/enabled")),
            "governor": governor(), "glibc_tunables": os.environ.get("GLIBC_TUNABLES", ""),
            "load_before": f"{first['load']:.2f}", "load_after": f"{os.getloadavg()[0]:.2f}",
            "steal_percent": f"{steal_percent(first['cpu_times'], cpu_times()):.2f}"}
    # Of what both know, the bench's word counts: it is what was measured with.
    return {**seen, **context}


def hash_of(block):
    return short_hash("\n".join(f"{name}={block.get(name, '')}" for name in HASHED))


def complaints(load_most, disk_least_mib, folder):
    """What speaks against beginning now: sentences. They hinder nothing, controls do."""
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    if load > load_most * cores:
        yield (f"the load is {load:.2f} on {cores} processors: others work here, and intervals "
               "will be wide")
    room = os.statvfs(folder)
    free_mib = room.f_bavail * room.f_frsize >> 20
    if free_mib < disk_least_mib:
        yield f"only {free_mib} MiB are free where results go; a night takes up to {disk_least_mib}"
    if governor() not in ("none", "performance"):
        yield f"the processors' governor is {governor()}: performance makes figures steadier"
