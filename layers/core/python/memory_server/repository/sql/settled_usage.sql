SELECT memories, bytes, history_bytes FROM settled_usage()
