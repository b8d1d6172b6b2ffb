"""What the functions share: AWS clients, what they tell (logs, metrics, traces), their settings, sealed texts."""
