#include "cli/real_world.h"
#include "cli/run.h"

int main(int argc, char** argv) {
  stsctl::cli::RealWorld real;
  return stsctl::cli::run(argc, argv, real.world());
}
