"""A CloudFormation custom resource that starts AppFlow's flows once they are there, and stops them before they go."""
