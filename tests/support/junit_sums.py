"""Adds up a JUnit file: prints `passed failed skipped`, then the name of each failed test."""

import sys
import xml.etree.ElementTree as ElementTree


def verdict(case):
    children = {child.tag for child in case}
    if children & {"failure", "error"} or case.get("status") == "fail":
        return "failed"
    if "skipped" in children or case.get("status") in ("notrun", "disabled"):
        return "skipped"
    return "passed"


def main(path):
    # ctest copies the tests' output, which may hold bytes that XML does not allow.
    with open(path, encoding="utf-8", errors="replace") as file:
        text = "".join(c for c in file.read() if c in "\t\n\r" or ord(c) >= 32)
    cases = [(case, verdict(case)) for case in ElementTree.fromstring(text).iter("testcase")]
    if not cases:
        sys.exit("no tests")
    print(*(sum(v == word for _, v in cases) for word in ("passed", "failed", "skipped")))
    for case, word in cases:
        if word == "failed":
            print(case.get("name"))


if __name__ == "__main__":
    main(sys.argv[1])
