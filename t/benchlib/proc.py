"""What /proc knows of processes."""
import os
import re

TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")


def stat_fields(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
        return f.read().rsplit(")", 1)[1].split()


def is_there(pid):
    return os.path.exists(f"/proc/{pid}/stat")


def cpu_us(pids):
    return sum((int(f[11]) + int(f[12])) * TICK_US for f in map(stat_fields, pids))


def cpu_ns(pids):
    """By the scheduler's clock, of all threads: for what is less than a tick"""
    found = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="utf-8") as f:
                found += int(f.read().split()[0])
    return found


def tree(root):
    """root and everything below it"""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parents[int(name)] = int(stat_fields(name)[1])
            except (FileNotFoundError, ProcessLookupError):
                pass
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def memory_kb(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        status = f.read()
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as f:
        smaps = f.read()
    return {"peak_rss": int(re.search(r"VmHWM:\s+(\d+)", status)[1]), "rss": int(re.search(r"VmRSS:\s+(\d+)", status)[1]),
            "pss": int(re.search(r"^Pss:\s+(\d+)", smaps, re.M)[1]),
            "private": sum(map(int, re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+)", smaps, re.M)))}


def idle_s():
    """Seconds that all cores together had nothing to do since boot"""
    with open("/proc/stat", encoding="utf-8") as f:
        return int(f.readline().split()[4]) * TICK_US / 1e6
