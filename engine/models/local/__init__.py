"""What policies and scorers on this machine share: a batch of KV caches, a prefix cache, a worker thread, loading."""
