"""A CloudFormation macro: one resource of a template, marked with a list of objects, becomes one for each of them."""
