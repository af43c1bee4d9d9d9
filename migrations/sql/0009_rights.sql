-- The API's role may call functions that answer, and nothing else.
REVOKE SELECT ON matching.publications, matching.showable FROM {reader};
REVOKE SELECT (publication_id, viewer_id, candidate_ids, p_match, reasons, most_compatible_id, most_compatible_p_match,
    most_compatible_reasons) ON matching.match_lists FROM {reader};
REVOKE SELECT (id) ON app.profiles FROM {reader};
REVOKE EXECUTE ON FUNCTION matching.neighbours(uuid, int, uuid[], bigint[]), matching.withheld_from(uuid) FROM {reader};
REVOKE USAGE ON SCHEMA app, matching FROM {reader};
GRANT USAGE ON SCHEMA matching_api TO {reader};

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA matching_api FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA matching_api TO {reader};

-- What everybody may do by default, the API's role may as well: read the server's statistics, whose counters move with
-- each block and like; hold large and temporary objects. So PUBLIC loses these rights in this database, and every other
-- role that there is keeps them: all but the API's and those whose only right it is, and the roles that later migrations
-- of another database may have created.
DO $$
DECLARE
    others text := (
        SELECT string_agg(quote_ident(rolname), ', ') FROM pg_roles
        WHERE NOT rolsuper AND (rolname !~ '^(pg|matching)_' OR rolname IN ('pg_monitor', 'pg_read_all_stats'))
          AND (pg_has_role(oid, current_user, 'MEMBER') OR NOT pg_has_role(oid, '{reader}', 'MEMBER')));
    rights text;
BEGIN
    FOR rights IN
        SELECT format('TEMPORARY ON DATABASE %I', datname) FROM pg_database
        WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE')
        UNION ALL
        SELECT format('EXECUTE ON FUNCTION %s', oid::regprocedure) FROM pg_proc
        WHERE proname ~ '{open}' AND has_function_privilege('public', oid, 'EXECUTE')
          AND prokind = 'f' AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    LOOP
        IF others IS NOT NULL THEN
            EXECUTE format('GRANT %s TO %s', rights, others);
        END IF;
        EXECUTE format('REVOKE %s FROM PUBLIC', rights);
    END LOOP;
END
$$;
