"""What the record of who did what costs: the rush with the journal and without it, in turns."""

from bench.figures import Target, ratio
from bench.works.rush import DeadlineRush


class Journal(DeadlineRush):
    """See above."""

    title = "journal: the rush with it and without it, stand-alone"
    rivals = ("ours", "ours-without-journal")
    targets = (
        Target(
            "processor time within the noise", ratio("cpu ms per pair", "ours", "ours-without-journal"), 1.1, unit="×"
        ),
        Target(
            "throughput within the noise",
            ratio("per second", "ours", "ours-without-journal"),
            0.8,
            at_least=True,
            unit="×",
        ),
    )


WORK = Journal
