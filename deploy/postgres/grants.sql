-- After every migration, as the owner of the tables (ansim_owner): who may do what. Running it again changes nothing.
--   manage.py dbshell -- -q -v ON_ERROR_STOP=1 -f deploy/postgres/grants.sql
\set ON_ERROR_STOP 1
BEGIN;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- The application, in both groups of web processes, workers and clock: rows, nothing else.
GRANT USAGE ON SCHEMA public TO ansim_application, ansim_site;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ansim_application, ansim_site;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO ansim_application, ansim_site;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ansim_application, ansim_site;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO ansim_application, ansim_site;

-- What is only ever added to: the application cannot change or remove it, not even by mistake (docs/adr/0014).
SELECT format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM ansim_application, ansim_site', tablename)
  FROM pg_tables WHERE schemaname = 'public' AND tablename IN ('ansim_accessrecord', 'ansim_recordcut') \gexec
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON django_migrations FROM ansim_application, ansim_site;

-- The auditor reads the record of access and who the staff are, and not one row about a customer.
GRANT USAGE ON SCHEMA public TO ansim_auditor;
SELECT format('GRANT SELECT ON %I TO ansim_auditor', tablename)
  FROM pg_tables WHERE schemaname = 'public'
   AND tablename IN ('ansim_accessrecord', 'ansim_recordcut', 'ansim_agent', 'auth_group', 'ansim_agent_groups',
                     'django_content_type', 'django_migrations') \gexec
REVOKE SELECT ON ansim_agent FROM ansim_auditor;
SELECT format('GRANT SELECT (%s) ON ansim_agent TO ansim_auditor', string_agg(quote_ident(column_name), ', '))
  FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name = 'ansim_agent' AND column_name <> 'password' \gexec
COMMIT;
