"""An alert as an incident report, for the ticket, the mail and the review afterwards."""
