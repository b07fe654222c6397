-- What the application's role may do. Each call is one statement and one transaction: it records its key with the outcome and
-- makes the effect, or neither. Answers with {status: done | refused | mismatch, outcome, replayed}.

SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION open_account(p_key text, p_at timestamptz, p_account text, p_currency text, p_overdraft bigint)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  request jsonb := jsonb_build_object('account', p_account, 'currency', p_currency, 'overdraft', p_overdraft);
  op operations := operation('opening', p_key, p_at, request);
  answer jsonb := claim(op);
BEGIN
  IF answer IS NOT NULL THEN RETURN answer; END IF;
  INSERT INTO accounts (id, kind, currency, opened_at)
  SELECT kind || ':' || p_currency, kind, p_currency, p_at FROM unnest(ARRAY['external', 'suspense']) AS kind
  ON CONFLICT DO NOTHING;
  INSERT INTO accounts (id, kind, currency, overdraft, balance, opened_at)
  VALUES (p_account, 'customer', p_currency, p_overdraft, 0, p_at)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN settle(op, 'refused', refusal('AccountExists', format('Account %s was opened under another key', p_account)));
  END IF;
  RETURN settle(op, 'done', request || jsonb_build_object('key', p_key, 'at', iso(p_at)));
END $$;

-- p_status is open, frozen or closed. Closed is for good, and only an account can be closed that holds and expects nothing.
CREATE FUNCTION change_status(p_key text, p_at timestamptz, p_account text, p_status text)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  request jsonb := jsonb_build_object('account', p_account, 'status', p_status);
  op operations := operation('status', p_key, p_at, request);
  answer jsonb := claim(op);
  a accounts;
BEGIN
  IF answer IS NOT NULL THEN RETURN answer; END IF;
  PERFORM lock_accounts(p_account);
  SELECT * INTO a FROM accounts WHERE id = p_account AND kind = 'customer';
  answer := obstacle(p_account, a.currency, 0, true);
  IF answer IS NOT NULL THEN RETURN settle(op, 'refused', answer); END IF;
  IF p_status = 'closed' AND (a.balance <> 0 OR EXISTS (
    SELECT FROM suspense_items WHERE account_id = p_account AND status = 'resting'
  )) THEN
    RETURN settle(op, 'refused', refusal('AccountNotEmpty', format('Account %s has money, or money on its way', p_account)));
  END IF;
  UPDATE accounts SET status = p_status WHERE id = p_account;
  RETURN settle(op, 'done', request || jsonb_build_object('key', p_key, 'at', iso(p_at)));
END $$;

CREATE FUNCTION pay_in(p_key text, p_at timestamptz, p_account text, p_amount amount, p_currency text)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  op operations := operation('pay-in', p_key, p_at,
    jsonb_build_object('account', p_account, 'amount', p_amount, 'currency', p_currency));
  answer jsonb := claim(op);
BEGIN
  IF answer IS NOT NULL THEN RETURN answer; END IF;
  PERFORM lock_accounts(p_account);
  answer := obstacle(p_account, p_currency, p_amount);
  IF answer IS NOT NULL THEN RETURN settle(op, 'refused', answer); END IF;
  RETURN post(op, 'external:' || p_currency, p_account, p_amount, p_currency);
END $$;

-- The target, if there is one, must be able to take it as far as can be told now. p_details is the caller's: part of the
-- request, and of no meaning here.
CREATE FUNCTION withdraw(p_key text, p_at timestamptz, p_reference text, p_account text, p_amount amount, p_currency text,
  p_target text DEFAULT NULL, p_details jsonb DEFAULT NULL)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  op operations := operation('withdrawal', p_key, p_at, jsonb_build_object(
    'reference', p_reference, 'account', p_account, 'amount', p_amount, 'currency', p_currency, 'target', p_target,
    'details', p_details));
  answer jsonb := claim(op, 'reference ' || p_reference);
  item suspense_items;
BEGIN
  IF answer IS NOT NULL THEN RETURN answer; END IF;
  SELECT * INTO item FROM suspense_items WHERE reference = p_reference;
  IF item.status = 'cancelled' THEN
    RETURN settle(op, 'refused', refusal('Cancelled', format('%s was cancelled before it arrived', p_reference)));
  ELSIF item.status IS NOT NULL THEN
    RETURN settle(op, 'refused', refusal('ReferenceTaken', format('There is a withdrawal for %s already', p_reference)));
  END IF;
  PERFORM lock_accounts(p_account);
  answer := obstacle(p_account, p_currency, -p_amount);
  -- Not locked: what becomes of the target later is for the deposit to see.
  IF answer IS NULL AND p_target IS NOT NULL THEN answer := obstacle(p_target, p_currency, 0); END IF;
  IF answer IS NOT NULL THEN RETURN settle(op, 'refused', answer); END IF;
  INSERT INTO suspense_items (reference, status, account_id, currency, amount, target, at)
  VALUES (p_reference, 'resting', p_account, p_currency, p_amount, p_target, p_at);
  RETURN post(op, p_account, 'suspense:' || p_currency, p_amount, p_currency, p_reference);
END $$;

CREATE FUNCTION deposit(p_key text, p_at timestamptz, p_reference text, p_account text)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  op operations := operation('deposit', p_key, p_at, jsonb_build_object('reference', p_reference, 'account', p_account));
  answer jsonb := claim(op, 'reference ' || p_reference);
  item suspense_items;
BEGIN
  IF answer IS NOT NULL THEN RETURN answer; END IF;
  SELECT * INTO item FROM suspense_items WHERE reference = p_reference;
  IF item.status IS DISTINCT FROM 'resting' THEN RETURN settle(op, 'refused', nothing_rests(p_reference, item.status)); END IF;
  IF item.target <> p_account THEN
    RETURN settle(op, 'refused', refusal('WrongTarget', format('What rests under %s is for %s', p_reference, item.target),
      jsonb_build_object('account', p_account, 'target', item.target)));
  END IF;
  PERFORM lock_accounts(p_account);
  answer := obstacle(p_account, item.currency, item.amount);
  IF answer IS NOT NULL THEN RETURN settle(op, 'refused', answer); END IF;
  UPDATE suspense_items SET status = 'deposited' WHERE reference = p_reference;
  RETURN post(op, 'suspense:' || item.currency, p_account, item.amount, item.currency, p_reference);
END $$;

CREATE FUNCTION refund(p_key text, p_at timestamptz, p_reference text)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  op operations := operation('refund', p_key, p_at, jsonb_build_object('reference', p_reference));
  answer jsonb := claim(op, 'reference ' || p_reference);
  item suspense_items;
BEGIN
  IF answer IS NOT NULL THEN RETURN answer; END IF;
  SELECT * INTO item FROM suspense_items WHERE reference = p_reference;
  IF item.status IS NULL THEN
    INSERT INTO suspense_items (reference, status, at) VALUES (p_reference, 'cancelled', p_at);
    item.status := 'cancelled';
  END IF;
  IF item.status = 'cancelled' THEN RETURN settle(op, 'done', '{"refunded": false}'); END IF;
  IF item.status <> 'resting' THEN RETURN settle(op, 'refused', nothing_rests(p_reference, item.status)); END IF;
  PERFORM lock_accounts(item.account_id);
  answer := obstacle(item.account_id, item.currency, item.amount);
  IF answer IS NOT NULL THEN RETURN settle(op, 'refused', answer); END IF;
  UPDATE suspense_items SET status = 'refunded' WHERE reference = p_reference;
  RETURN post(op, 'suspense:' || item.currency, item.account_id, item.amount, item.currency, p_reference);
END $$;

CREATE FUNCTION nothing_rests(p_reference text, p_status text) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $$
  SELECT refusal('NothingInSuspense',
    format('No money rests under %s: %s', p_reference, coalesce(p_status, 'nothing was withdrawn')),
    jsonb_build_object('reference', p_reference, 'status', coalesce(p_status, 'unknown')))
$$;

CREATE FUNCTION charge(p_key text, p_at timestamptz, p_from text, p_to text, p_amount amount, p_currency text)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  op operations := operation('charge', p_key, p_at,
    jsonb_build_object('from', p_from, 'to', p_to, 'amount', p_amount, 'currency', p_currency));
  answer jsonb := claim(op);
BEGIN
  IF answer IS NOT NULL THEN RETURN answer; END IF;
  PERFORM lock_accounts(p_from, p_to);
  answer := coalesce(obstacle(p_from, p_currency, -p_amount), obstacle(p_to, p_currency, p_amount));
  IF answer IS NOT NULL THEN RETURN settle(op, 'refused', answer); END IF;
  RETURN post(op, p_from, p_to, p_amount, p_currency);
END $$;

-- A charge that has not arrived gets a tombstone.
CREATE FUNCTION refund_charge(p_key text, p_at timestamptz, p_charge text)
RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  op operations := operation('charge-refund', p_key, p_at, jsonb_build_object('charge', p_charge));
  answer jsonb := claim(op, p_charge);
  charged operations;
  payer text;
  payee text;
  amount bigint;
  currency text;
BEGIN
  IF answer IS NOT NULL THEN RETURN answer; END IF;
  SELECT * INTO charged FROM operations WHERE key = p_charge;
  IF NOT FOUND THEN
    INSERT INTO operations (key, kind, status, at) VALUES (p_charge, 'charge', 'cancelled', p_at);
  ELSIF charged.kind <> 'charge' THEN
    RETURN settle(op, 'refused', refusal('NotACharge', format('%s is no charge but: %s', p_charge, charged.kind)));
  END IF;
  IF charged.status IS DISTINCT FROM 'done' THEN RETURN settle(op, 'done', '{"refunded": false}'); END IF;
  IF EXISTS (SELECT FROM operations WHERE refunds = p_charge) THEN
    RETURN settle(op, 'refused', refusal('AlreadyRefunded', format('%s was refunded under another key', p_charge)));
  END IF;
  SELECT r.from, r.to, r.amount, r.currency INTO payer, payee, amount, currency
  FROM jsonb_to_record(charged.request) AS r ("from" text, "to" text, amount bigint, currency text);
  PERFORM lock_accounts(payer, payee);
  answer := coalesce(obstacle(payee, currency, -amount), obstacle(payer, currency, amount));
  IF answer IS NOT NULL THEN RETURN settle(op, 'refused', answer); END IF;
  op.refunds := p_charge;
  RETURN post(op, payee, payer, amount, currency);
END $$;
