"""The emulated AWS: ministack as it comes, and what the stacks need of AWS that it does otherwise, a module each.

It runs in an environment of its own (`requirements/stack.txt`), so it imports nothing of forceglue and nothing of the
functions. A correction replaces private functions of one version of ministack: another version is refused at the start,
and each correction has a test that asks through the AWS SDK.
"""
