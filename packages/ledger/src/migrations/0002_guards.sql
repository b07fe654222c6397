-- What holds for everybody who writes, the owner included, and for the functions of 0003 if they should have a bug.

-- A temporary table must not take the place of one of ours in a function.
SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE EXCEPTION '% may not be undone: no % here', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON operations
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON accounts
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON suspense_items
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An entry moves its account's balance, and nothing else does: so a balance is the sum of its entries, whatever their
-- number, without anybody adding them up.
CREATE FUNCTION move_balance() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  SELECT at INTO NEW.at FROM operations WHERE key = NEW.operation_key AND status = 'done';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'Operation % is not done', NEW.operation_key USING ERRCODE = 'foreign_key_violation';
  END IF;
  UPDATE accounts SET balance = balance + NEW.amount WHERE id = NEW.account_id AND kind = 'customer';
  RETURN NEW;
END $$;
CREATE TRIGGER move_balance BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION move_balance();

CREATE FUNCTION guard_account() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.balance <> 0 THEN
      RAISE EXCEPTION 'Account % must begin with nothing', NEW.id USING ERRCODE = 'check_violation';
    END IF;
  ELSIF (NEW.id, NEW.kind, NEW.currency, NEW.opened_at) IS DISTINCT FROM (OLD.id, OLD.kind, OLD.currency, OLD.opened_at) THEN
    RAISE EXCEPTION 'Account % is what it is for good', OLD.id USING ERRCODE = 'restrict_violation';
  ELSIF OLD.status = 'closed' THEN
    RAISE EXCEPTION 'Account % is closed', OLD.id USING ERRCODE = 'restrict_violation';
  ELSIF NEW.balance <> OLD.balance THEN
    -- One for this trigger, one for move_balance.
    IF pg_trigger_depth() < 2 THEN
      RAISE EXCEPTION 'The balance of % moves by entries only', OLD.id USING ERRCODE = 'restrict_violation';
    ELSIF OLD.status = 'frozen' AND NEW.balance < OLD.balance THEN
      RAISE EXCEPTION 'Account % is frozen', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_account BEFORE INSERT OR UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION guard_account();

-- Out of suspense once, either way, and never back.
CREATE FUNCTION guard_suspense_item() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF OLD.status <> 'resting' OR NEW.status NOT IN ('deposited', 'refunded')
    OR to_jsonb(NEW) - 'status' <> to_jsonb(OLD) - 'status'
  THEN
    RAISE EXCEPTION 'The money of % is %', OLD.reference, OLD.status USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_suspense_item BEFORE UPDATE ON suspense_items
  FOR EACH ROW EXECUTE FUNCTION guard_suspense_item();

CREATE FUNCTION check_operation_sum() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT FROM entries WHERE operation_key = NEW.operation_key GROUP BY currency HAVING sum(amount) <> 0) THEN
    RAISE EXCEPTION 'The entries of % do not sum to zero', NEW.operation_key USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER sums_to_zero AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION check_operation_sum();

-- What rests under a reference is what its entries in suspense add up to, in the currency that it says.
CREATE FUNCTION check_suspense_sum() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (
    SELECT FROM suspense_items AS i LEFT JOIN entries AS e ON e.reference = i.reference
    WHERE i.reference = NEW.reference
    GROUP BY i.reference
    HAVING coalesce(sum(e.amount), 0) <> CASE i.status WHEN 'resting' THEN i.amount ELSE 0 END
      OR bool_or(e.currency <> i.currency)
  ) THEN
    RAISE EXCEPTION 'What rests under % is not what its entries say', NEW.reference USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER adds_up AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.reference IS NOT NULL) EXECUTE FUNCTION check_suspense_sum();
CREATE CONSTRAINT TRIGGER adds_up AFTER INSERT OR UPDATE ON suspense_items DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION check_suspense_sum();
