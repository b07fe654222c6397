-- Whoever was given rights on the tables may read them, and call what 0004 offers. That these functions run as their owner is
-- how the application's role can post, and do nothing else.
DO $$
DECLARE
  name regclass;
  function regprocedure;
  grantee text;
BEGIN
  FOR function IN SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', function);
  END LOOP;
  FOR grantee IN
    SELECT DISTINCT pg_get_userbyid(acl.grantee) FROM pg_class, aclexplode(relacl) AS acl
    WHERE pg_class.oid = 'accounts'::regclass AND acl.grantee NOT IN (0, relowner)
  LOOP
    FOREACH name IN ARRAY ARRAY['accounts', 'operations', 'suspense_items', 'entries'] LOOP
      EXECUTE format('REVOKE ALL ON %s FROM %I', name, grantee);
      EXECUTE format('GRANT SELECT ON %s TO %I', name, grantee);
    END LOOP;
    EXECUTE format('REVOKE ALL ON SEQUENCE entries_id_seq FROM %I', grantee);
    FOR function IN SELECT oid FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prosecdef LOOP
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', function, grantee);
    END LOOP;
  END LOOP;
END $$;
