"""What is in deploy/ and docker-compose.yml, held against how td itself starts a server."""
