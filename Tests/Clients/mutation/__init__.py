"""What mutate.py is made of: generators of cases, the clients that send them, and the server that gets them."""
