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
    verdicts = {}
    for case in ElementTree.fromstring(text).iter("testcase"):
        # pytest names a test twice when both it and its fixture's end have failed.
        name = (case.get("classname"), case.get("name"))
        verdicts[name] = "failed" if verdicts.get(name) == "failed" else verdict(case)
    if not verdicts:
        sys.exit("no tests")
    print(*(list(verdicts.values()).count(word) for word in ("passed", "failed", "skipped")))
    print(*(name for (_, name), word in verdicts.items() if word == "failed"), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1])
