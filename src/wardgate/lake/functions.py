"""The functions that a query may call: what computes from its arguments, and nothing else.

Not here, on purpose: whatever reads files, settings, the environment or other tables, runs text as SQL, or
makes values of any length that an argument asks for (`repeat`, `lpad`, `format`).
"""

_OPERATORS = "+ - * / // % ** ^ || ~~ !~~ ~~* !~~* ~~~ ~ !~ & | << >> @ ! -> ->> @> <@ && <-> ^@"
_AGGREGATES = """
any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_min
arg_min_null argmax argmin array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count count_if
count_star countif covar_pop covar_samp entropy favg first fsum geomean geometric_mean histogram
kahan_sum kurtosis last list mad max max_by mean median min min_by mode product quantile quantile_cont
quantile_disc regr_count regr_slope regr_intercept regr_r2 reservoir_quantile skewness std stddev
stddev_pop stddev_samp string_agg group_concat listagg sum sum_no_overflow sumkahan var_pop var_samp
variance
"""
_WINDOWS = """
cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank rank_dense
row_number
"""
_TEXT = """
array_slice ascii bit_length char_length character_length chr concat concat_ws contains
damerau_levenshtein editdist3 ends_with hamming hash instr jaccard jaro_similarity
jaro_winkler_similarity lcase left left_grapheme length len length_grapheme levenshtein lower ltrim md5
mismatches nfc_normalize not_like_escape like_escape ilike_escape not_ilike_escape ord parse_filename
parse_dirname parse_path position prefix regexp_extract regexp_extract_all regexp_full_match
regexp_matches regexp_replace regexp_split_to_array regexp_escape replace reverse right rtrim sha1 sha256
split split_part starts_with str_split str_split_regex string_split string_split_regex string_to_array
strip_accents strlen strpos substr substring substring_grapheme suffix translate trim ucase unicode upper
url_decode url_encode
"""
_NUMBERS = """
abs acos add asin atan atan2 bin bit_count cbrt ceil ceiling cos cot degrees divide even exp factorial
floor fdiv fmod gamma gcd greatest hex isfinite isinf isnan lcm least lgamma ln log log10 log2 mod
multiply nextafter pi pow power radians round roundbankers sign signbit sin sqrt subtract tan to_base
trunc unhex width_bucket xor
"""
_TIMES = """
age century date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname
dayofmonth dayofweek dayofyear decade epoch epoch_ms epoch_ns epoch_us era extract hour isodow isoyear
julian last_day make_date make_time make_timestamp microsecond millisecond millennium minute month
monthname quarter second strftime strptime time_bucket timezone timezone_hour timezone_minute to_days
to_hours to_microseconds to_milliseconds to_minutes to_months to_seconds to_timestamp to_weeks to_years
try_strptime week weekday weekofyear year yearweek now today current_date current_timestamp
get_current_timestamp get_current_time current_localtimestamp current_localtime
"""
_NESTED = """
array_aggregate array_append array_apply array_concat array_contains array_distinct array_extract
array_filter array_has array_has_all array_has_any array_indexof array_intersect array_length
array_position array_prepend array_reduce array_reverse array_reverse_sort array_sort array_sum
array_to_string array_transform array_unique array_value array_where array_zip cardinality element_at
filter flatten len list_aggr list_aggregate list_any_value list_append list_apply list_avg list_bool_and
list_bool_or list_cat list_concat list_contains list_count list_distinct list_element list_extract
list_filter list_first list_has list_has_all list_has_any list_indexof list_intersect list_last list_max
list_median list_min list_mode list_pack list_position list_prepend list_product list_reduce list_reverse
list_reverse_sort list_select list_slice list_sort list_sum list_transform list_unique list_value
list_where list_zip map map_concat map_contains map_entries map_extract map_extract_value
map_from_entries map_keys map_values row struct_concat struct_contains struct_extract struct_extract_at
struct_insert struct_keys struct_pack struct_values unnest unpivot_list construct_array
"""
_JSON = """
from_json json json_array json_array_length json_contains json_exists json_extract json_extract_path
json_extract_path_text json_extract_string json_group_array json_group_object json_group_structure
json_keys json_object json_structure json_type json_valid json_value row_to_json to_json array_to_json
"""
_OTHERS = """
alias coalesce constant_or_null if ifnull is_distinct_from nullif typeof
"""

FUNCTIONS = frozenset(
    " ".join((_OPERATORS, _AGGREGATES, _WINDOWS, _TEXT, _NUMBERS, _TIMES, _NESTED, _JSON, _OTHERS)).split()
)
TABLE_FUNCTIONS = frozenset(("unnest", "range", "generate_series"))
"""What may stand in FROM besides views."""
