"""What comes out of nbgrader's own tests: how many there are in each module, and which cannot pass, and why.

nbgrader's own exchange passes all 67. The modes and owners of files in an exchange folder, and the salted names of its
feedback, mean nothing where the exchange is a server.
"""

MODES = "looks at the modes of files in the exchange folder"
OWNERS = "looks for a warning that the owner of a folder in the exchange is not the student who is named"
NEVER_SUBMITTED = "releases feedback on work that was never handed in, and looks for it under a salted name"

TESTS = {
    "releaseassignment": 11,
    "fetch_assignment": 7,
    "submit": 15,
    "list": 13,
    "collect": 11,
    "releasefeedback": 8,
    "fetchfeedback": 2,
}
FAILURES = {
    "releaseassignment": {"test_permissions[True]": MODES},
    "submit": {
        "test_submit_max_file_size": "hands in work whose notebook is too large to be sent, and wants that to succeed",
        "test_submit_max_dir_size": "wants a RuntimeError, with a traceback for the student; ours is an ExchangeError",
    },
    "list": {
        "test_list_remove_outbound": "wants no line for what was taken back; instructors have one",
    },
    "collect": {
        "test_owner_check": OWNERS,
        "test_permissions[False]": MODES,
        "test_permissions[True]": MODES,
    },
    "releasefeedback": {
        "test_single_file": NEVER_SUBMITTED,
        "test_single_student": NEVER_SUBMITTED,
        "test_student_id_exclude": NEVER_SUBMITTED,
        "test_permissions[False]": MODES,
        "test_permissions[True]": MODES,
    },
}
