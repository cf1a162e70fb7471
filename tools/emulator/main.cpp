// penstock-emulator: runs the test cloud until SIGTERM or SIGINT.
#include <csignal>
#include <exception>
#include <iostream>

#include "emulator.hpp"
#include "options.hpp"

int main(int count, char** values) {
  const auto options = emulator::parse_options({values + 1, values + count});
  if (!options) {
    (options.error().code == 0 ? std::cout : std::cerr) << options.error().text;
    return options.error().code;
  }
  // Before any thread starts, so that all of them leave these signals to sigwait below.
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const emulator::test_cloud cloud(*options);
    std::cout << "penstock-emulator: " << cloud.url() << std::endl;
    int signal = 0;
    sigwait(&ending, &signal);
  } catch (const std::exception& failure) {
    std::cerr << "penstock-emulator: " << failure.what() << '\n';
    return 1;
  }
  return 0;
}
