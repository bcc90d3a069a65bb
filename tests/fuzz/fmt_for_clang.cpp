// The one function of libfmt that clang 16 looks for under another name than g++ 12 gave it: types
// that a template makes of its parameter are mangled differently by the two.
#include <fmt/format.h>

template void fmt::detail::vformat_to<char>(
    fmt::detail::buffer<char>&, fmt::basic_string_view<char>,
    fmt::basic_format_args<fmt::buffer_context<typename fmt::type_identity<char>::type>>,
    fmt::detail::locale_ref);
