"""The exchange that nbgrader brings: a folder that all users of a machine share. Taken over, and made again."""
