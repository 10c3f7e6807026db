# A self-signed certificate for localhost, and a key that is not its own: nothing is protected with either.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost -keyout /dev/null -out certificate.pem
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out other-key.pem
