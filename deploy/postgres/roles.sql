-- Once, by a superuser; again: gives the same roles these passwords. The database is made beside it (docs/deployment.md).
--   psql -v owner=… -v application=… -v site=… -v auditor=… -v backup=… -f deploy/postgres/roles.sql   (the passwords)
-- The names are fixed; what each may do is in grants.sql.
\set ON_ERROR_STOP 1
SELECT format('CREATE ROLE %I LOGIN', name)
  FROM unnest(ARRAY['ansim_owner', 'ansim_application', 'ansim_site', 'ansim_auditor', 'ansim_backup']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE ansim_owner PASSWORD :'owner';
ALTER ROLE ansim_application PASSWORD :'application';
ALTER ROLE ansim_site PASSWORD :'site' CONNECTION LIMIT 40;
ALTER ROLE ansim_auditor PASSWORD :'auditor' CONNECTION LIMIT 5;
ALTER ROLE ansim_backup PASSWORD :'backup' CONNECTION LIMIT 3;
-- Nobody waits for ever: neither for a lock, nor in a transaction that was left open.
ALTER ROLE ansim_owner SET lock_timeout = '3s';
ALTER ROLE ansim_application SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE ansim_site SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE ansim_auditor SET default_transaction_read_only = on;
ALTER ROLE ansim_backup SET default_transaction_read_only = on;
GRANT pg_read_all_data TO ansim_backup;
