"""What every HTTP API has in common: who asks and in which transaction, how answers and refusals look."""
