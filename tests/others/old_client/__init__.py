"""The cycle of `examples/whole_cycle` with ngshare's own client, ngshare_exchange, and its command for courses."""
