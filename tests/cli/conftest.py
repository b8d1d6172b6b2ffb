from describe.org import client, folder, org, server  # noqa: F401  # fixtures of the tests here
