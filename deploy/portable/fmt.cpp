// fmt as a part of the program: Debian has it as a shared library, and as headers that hold all of it.
#include <fmt/format-inl.h>

#include <locale>

namespace fmt {
namespace detail {

// The templates that users of fmt expect ready-made.
template dragonbox::decimal_fp<float> dragonbox::to_decimal(float) noexcept;
template dragonbox::decimal_fp<double> dragonbox::to_decimal(double) noexcept;
template std::locale locale_ref::get<std::locale>() const;
template thousands_sep_result<char> thousands_sep_impl(locale_ref);
template char decimal_point_impl(locale_ref);

}  // namespace detail
}  // namespace fmt
