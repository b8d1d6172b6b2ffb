"""What stands in for Glue's service: a warm Spark that runs one job after another, with the arguments that Glue gives.

`python -m local_stack.glue_runner` answers over HTTP on loopback; the JVM lives in a process beside it, which is ended
and started anew when a run is stopped, takes too long, or takes the JVM with it. `forceglue` is that of this checkout.
"""
