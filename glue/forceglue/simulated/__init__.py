"""Stand-ins for services that cannot be had here; each speaks the real one's protocol, and no client code knows."""
