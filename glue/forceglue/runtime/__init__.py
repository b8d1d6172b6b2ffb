"""What differs between a laptop and AWS Glue: Java, JARs, the Spark session, arguments, the catalog, secrets."""
