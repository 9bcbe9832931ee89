"""Many files at a time: in processes that share the CPU, or in threads that share a GPU."""
