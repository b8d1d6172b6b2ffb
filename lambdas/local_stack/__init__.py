"""The whole system on this machine: an emulated AWS, a simulated Salesforce org, Spark; `make up` and `make down`.

The stacks that are deployed are the templates as they go to AWS. No part of the functions' package.
"""
