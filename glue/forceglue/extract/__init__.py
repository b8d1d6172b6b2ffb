"""`forceglue extract`: an org's objects read whole or since the last time, proved, and landed as AppFlow would."""
