"""How records come in and go out: chunks, the Faust transport that makes them, transactions, and reading a log back."""
