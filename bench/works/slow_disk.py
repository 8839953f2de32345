"""The deadline rush on a disk whose every flush takes 5 ms longer, beside ngshare on the disk as it is."""

from bench.figures import Target, ratio
from bench.works.rush import DeadlineRush


class SlowDisk(DeadlineRush):
    """See above."""

    title = "slow disk: the rush with each flush delayed by 5 ms; ngshare without the delay"
    rivals = ("ngshare", "ours", "ours-slow", "ours-2-slow")
    targets = (
        Target("4 × ngshare undelayed", ratio("per second", "ours-slow", "ngshare"), 4, at_least=True, unit="×"),
    )


WORK = SlowDisk
