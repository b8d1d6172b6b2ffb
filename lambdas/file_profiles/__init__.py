"""Files of sources that are not Salesforce: read by their profile, row by row, and handed on."""
