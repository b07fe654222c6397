-- What the functions of 0004 are made of: recognising a key, locking, refusing, posting.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION operation(p_kind text, p_key text, p_at timestamptz, p_request jsonb) RETURNS operations
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  op operations;
BEGIN
  op.kind := p_kind;
  op.key := p_key;
  op.at := p_at;
  op.request := p_request;
  RETURN op;
END $$;

-- Locks the key, and what else must not be worked on by two at once, until the transaction ends. Answers with what is
-- stored of the key; null means that it is new, and ours.
-- `at` is not compared: after a reset, a workflow asks for the same thing at another time.
CREATE FUNCTION claim(op operations, p_also text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  name bigint;
  stored operations;
BEGIN
  -- Any other level would look at the state from before the locks were waited for.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'The ledger works in READ COMMITTED transactions' USING ERRCODE = 'invalid_transaction_state';
  END IF;
  FOR name IN
    SELECT DISTINCT hashtextextended(each, 0) FROM unnest(ARRAY[op.key, p_also]) AS each WHERE each IS NOT NULL ORDER BY 1
  LOOP
    PERFORM pg_advisory_xact_lock(name);
  END LOOP;
  SELECT * INTO stored FROM operations WHERE key = op.key;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF stored.kind <> op.kind OR stored.request <> op.request THEN RETURN jsonb_build_object('status', 'mismatch'); END IF;
  IF stored.status = 'cancelled' THEN
    RETURN jsonb_build_object('status', 'refused', 'replayed', true, 'outcome', refusal('Cancelled', 'It was cancelled'));
  END IF;
  RETURN jsonb_build_object('status', stored.status, 'replayed', true, 'outcome', stored.outcome);
END $$;

CREATE FUNCTION refusal(p_type text, p_message text, p_details jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
  SELECT jsonb_build_object('type', p_type, 'message', p_message, 'details', p_details)
$$;

CREATE FUNCTION settle(op operations, p_status text, p_outcome jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO operations (key, kind, status, request, outcome, refunds, at)
  VALUES (op.key, op.kind, p_status, op.request, p_outcome, op.refunds, op.at);
  RETURN jsonb_build_object('status', p_status, 'replayed', false, 'outcome', p_outcome);
END $$;

CREATE FUNCTION iso(p_at timestamptz) RETURNS text LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
  SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- In one order for all, so that A → B and B → A cannot wait for each other.
CREATE FUNCTION lock_accounts(VARIADIC p_ids text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM FROM accounts WHERE id = ANY (p_ids) AND kind = 'customer' ORDER BY id FOR NO KEY UPDATE;
END $$;

-- Why a locked customer's account cannot take the change; null if it can. Frozen, it neither gives nor takes, not even what
-- was its own.
CREATE FUNCTION obstacle(p_id text, p_currency text, p_change bigint, p_even_frozen boolean DEFAULT false) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  a accounts;
  details jsonb;
BEGIN
  SELECT * INTO a FROM accounts WHERE id = p_id AND kind = 'customer';
  details := jsonb_build_object('account', p_id);
  IF a.id IS NULL THEN RETURN refusal('UnknownAccount', format('There is no account %s', p_id), details); END IF;
  IF a.currency <> p_currency THEN
    RETURN refusal('CurrencyMismatch', format('Account %s is kept in %s', p_id, a.currency),
      details || jsonb_build_object('currency', a.currency));
  END IF;
  IF a.status = 'closed' THEN RETURN refusal('AccountClosed', format('Account %s is closed', p_id), details); END IF;
  IF a.status = 'frozen' AND NOT p_even_frozen THEN
    RETURN refusal('AccountFrozen', format('Account %s is frozen', p_id), details);
  END IF;
  -- The sum of two minor_units is a bigint that cannot overflow.
  IF a.balance + p_change < -a.overdraft AND p_change < 0 THEN
    RETURN refusal('InsufficientFunds', format('Account %s has not enough funds', p_id),
      details || jsonb_build_object('balance', a.balance, 'overdraft', a.overdraft));
  END IF;
  IF a.balance + p_change > 9007199254740991 THEN
    RETURN refusal('BalanceTooLarge', format('Account %s cannot hold that much', p_id), details);
  END IF;
  RETURN NULL;
END $$;

-- Records the operation and its two entries: p_amount leaves one account and reaches the other.
CREATE FUNCTION post(op operations, p_from text, p_to text, p_amount amount, p_currency text, p_reference text DEFAULT NULL)
RETURNS jsonb LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  posting jsonb := jsonb_build_object('key', op.key, 'from', p_from, 'to', p_to, 'amount', p_amount,
    'currency', p_currency, 'at', iso(op.at));
  gives_back boolean := op.kind IN ('refund', 'charge-refund');
  answer jsonb := settle(op, 'done',
    CASE WHEN gives_back THEN jsonb_build_object('refunded', true, 'posting', posting) ELSE posting END);
BEGIN
  INSERT INTO entries (operation_key, account_id, currency, amount, reference)
  SELECT op.key, id, p_currency, change, CASE WHEN starts_with(id, 'suspense:') THEN p_reference END
  FROM (VALUES (p_from, -p_amount), (p_to, p_amount)) AS sides (id, change);
  RETURN answer;
END $$;
