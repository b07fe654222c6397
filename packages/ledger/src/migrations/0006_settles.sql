-- What a charge pays for, under a name that the caller gives: whoever tries again after a no uses another key and the same
-- name, and at most one of these tries ever succeeds.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

ALTER TABLE operations ADD COLUMN settles text COLLATE "C",
  ADD CONSTRAINT only_charges_settle CHECK (settles IS NULL OR (kind = 'charge' AND status = 'done'));
CREATE UNIQUE INDEX one_charge_settles ON operations (settles) WHERE settles IS NOT NULL;

CREATE OR REPLACE FUNCTION settle(op operations, p_status text, p_outcome jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO operations (key, kind, status, request, outcome, refunds, at, settles)
  VALUES (op.key, op.kind, p_status, op.request, p_outcome, op.refunds, op.at, op.settles);
  RETURN jsonb_build_object('status', p_status, 'replayed', false, 'outcome', p_outcome);
END $$;

DROP FUNCTION charge(text, timestamptz, text, text, amount, text);

-- A program that is older than p_settles calls it without.
CREATE FUNCTION charge(p_key text, p_at timestamptz, p_from text, p_to text, p_amount amount, p_currency text,
  p_settles text DEFAULT NULL)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  -- Without the name where there is none, so that a charge from before it is still the same request.
  op operations := operation('charge', p_key, p_at, jsonb_strip_nulls(jsonb_build_object(
    'from', p_from, 'to', p_to, 'amount', p_amount, 'currency', p_currency, 'settles', p_settles)));
  answer jsonb := claim(op, 'settles ' || p_settles);
  first operations;
BEGIN
  IF answer IS NOT NULL THEN RETURN answer; END IF;
  SELECT * INTO first FROM operations WHERE settles = p_settles;
  IF FOUND THEN
    RETURN settle(op, 'refused', refusal('AlreadySettled', format('%s was charged for under another key', p_settles),
      jsonb_build_object('settles', p_settles, 'key', first.key)));
  END IF;
  PERFORM lock_accounts(p_from, p_to);
  answer := coalesce(obstacle(p_from, p_currency, -p_amount), obstacle(p_to, p_currency, p_amount));
  IF answer IS NOT NULL THEN RETURN settle(op, 'refused', answer); END IF;
  op.settles := p_settles;
  RETURN post(op, p_from, p_to, p_amount, p_currency);
END $$;

-- As 0005 does for what was there before.
DO $$
DECLARE
  grantee text;
  charge regprocedure := 'charge(text, timestamptz, text, text, amount, text, text)';
BEGIN
  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', charge);
  FOR grantee IN
    SELECT DISTINCT pg_get_userbyid(acl.grantee) FROM pg_class, aclexplode(relacl) AS acl
    WHERE pg_class.oid = 'accounts'::regclass AND acl.grantee NOT IN (0, relowner)
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', charge, grantee);
  END LOOP;
END $$;
