#include "providers/careful_write.h"

namespace stsctl::providers {

bool worth_another_look(Code code) {
  return code == Code::conflict || code == Code::unreachable || code == Code::timeout ||
         code == Code::protocol;
}

}  // namespace stsctl::providers
