"""Reads KTAP by the kernel's own parser: kunit.py FOLDER, where FOLDER is
tools/testing/kunit of a kernel tree."""

import io
import json
import sys

# It prints what it reads, where standard output was when it was imported.
told, sys.stdout = sys.stdout, sys.stderr
sys.path.insert(0, sys.argv[1])
import kunit_parser  # noqa: E402


def understood(test):
    return {
        'name': test.name,
        'status': test.status.name,
        'subtests': [understood(subtest) for subtest in test.subtests],
    }


def main():
    text = sys.stdin.buffer.read().decode('utf-8')
    test = kunit_parser.parse_run_tests(io.StringIO(text))
    json.dump({'errors': test.counts.errors, 'test': understood(test)}, told)


main()
